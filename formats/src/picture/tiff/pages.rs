//! Which page of a file is analysed, and how many there are.
//!
//! In: a [`File`]. Out: the first page that is neither a reduced copy nor a mask, and the number of such pages. A list that
//! runs in a circle or leads out of the file ends there. Source: TIFF 6.0, NewSubfileType (bit 0: reduced, bit 2: mask) and
//! the older SubfileType (2: reduced).

use std::collections::HashSet;

use super::directory::{Directory, File, tag};
use crate::picture::ImageError;

/// Pages that are counted at most; a longer list is a file made to be slow.
const MAX_PAGES: usize = 100_000;

/// The page to analyse, and how many pages there are.
pub(super) fn choose<'a>(file: &'a File<'a>) -> Result<(Directory<'a>, u64), ImageError> {
    let first = file.directory(file.first)?;
    let mut seen = HashSet::from([file.first]);
    let mut next = first.next;
    let mut pages = u64::from(!is_aside(&first));
    let mut later = None;
    while next != 0 && seen.len() < MAX_PAGES && seen.insert(next) {
        let page = match file.directory(next) {
            Ok(page) => page,
            // What is analysed must not depend on where a file was cut.
            Err(error) if pages == 0 => return Err(error),
            Err(_) => break,
        };
        next = page.next;
        if !is_aside(&page) {
            pages += 1;
            if pages == 1 {
                later = Some(page);
            }
        }
    }
    // Where all are copies or masks, the first is as good as any.
    let page = later.unwrap_or(first);
    if pages == 1 && seen.len() == 1 {
        pages = frames_of_imagej(&page).unwrap_or(1);
    }
    Ok((page, pages.max(1)))
}

/// Where the directories of all pages are that are neither reduced copies nor masks; of the first where all are.
pub(super) fn places(file: &File<'_>) -> Result<Vec<u64>, ImageError> {
    let mut seen = HashSet::new();
    let mut places = Vec::new();
    let mut next = file.first;
    while next != 0 && seen.len() < MAX_PAGES && seen.insert(next) {
        let page = match file.directory(next) {
            Ok(page) => page,
            Err(error) if places.is_empty() => return Err(error),
            Err(_) => break,
        };
        if !is_aside(&page) {
            places.push(next);
        }
        next = page.next;
    }
    Ok(if places.is_empty() { vec![file.first] } else { places })
}

/// A reduced copy of another page, or a mask of one.
fn is_aside(page: &Directory<'_>) -> bool {
    const REDUCED_OR_MASK: u64 = 0b101;
    const OLD_REDUCED: u64 = 2;
    let number = |tag| page.number(tag).ok().flatten();
    number(tag::NEW_SUBFILE_TYPE).is_some_and(|bits| bits & REDUCED_OR_MASK != 0)
        || number(tag::SUBFILE_TYPE) == Some(OLD_REDUCED)
}

/// ImageJ keeps a large stack behind a single page and states its length in the description ("images=12").
fn frames_of_imagej(page: &Directory<'_>) -> Option<u64> {
    let text = page.bytes(tag::IMAGE_DESCRIPTION).ok()??;
    let mut lines = text.strip_prefix(b"ImageJ=")?.split(|&b| b == b'\n' || b == 0);
    let images = lines.find_map(|line| line.strip_prefix(b"images="))?;
    std::str::from_utf8(images).ok()?.trim().parse().ok()
}
