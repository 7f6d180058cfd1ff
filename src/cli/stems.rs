//! Names of output files.
//!
//! Comes in: the picture files in order. Goes out: a name for each, made of its own name without the
//! ending; no two are equal, also where capitals do not count, and none is too long for what is put behind.

use std::collections::HashSet;
use std::path::PathBuf;

/// Longest name: a file system allows 255 bytes, and a number and an ending follow.
const LIMIT_BYTES: usize = 200;

/// One name per file, shortened if it is very long. If files share a name, the later ones get `-2`, `-3` and so on.
pub(super) fn unique_stems(files: &[PathBuf]) -> Vec<String> {
    let stems: Vec<String> = files
        .iter()
        .map(|file| file.file_stem().map_or_else(|| "picture".to_owned(), |s| s.to_string_lossy().into_owned()))
        .map(|mut stem| {
            stem.truncate(stem.floor_char_boundary(LIMIT_BYTES));
            stem
        })
        .collect();
    // A name that some file already has is never given to another.
    let own: HashSet<String> = stems.iter().map(|stem| stem.to_lowercase()).collect();
    let mut taken = HashSet::new();
    stems
        .into_iter()
        .map(|stem| {
            if taken.insert(stem.to_lowercase()) {
                return stem;
            }
            let numbered = (2u32..).map(|n| format!("{stem}-{n}"));
            numbered
                .into_iter()
                .find(|name| !own.contains(&name.to_lowercase()) && taken.insert(name.to_lowercase()))
                .unwrap_or(stem)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(files: &[&str]) -> Vec<String> {
        unique_stems(&files.iter().map(PathBuf::from).collect::<Vec<_>>())
    }

    #[test]
    fn shared_names_are_numbered() {
        assert_eq!(stems(&["p1/slice.png", "p2/slice.png", "p3/Slice.jpg"]), ["slice", "slice-2", "Slice-3"]);
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let long = "ü".repeat(124);
        let cut = stems(&[&format!("{long}.png"), &format!("{long}x.png")]);
        assert_eq!(cut, ["ü".repeat(100), format!("{}-2", "ü".repeat(100))]);
    }

    #[test]
    fn a_files_own_name_is_kept() {
        assert_eq!(stems(&["a.png", "b/a.png", "a-2.png"]), ["a", "a-3", "a-2"]);
    }
}
