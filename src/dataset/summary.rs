//! A data set in a few lines for people.
//!
//! Comes in: a layout. Goes out: lines: how it is laid out, what was taken for what in each part. Cannot fail.

use super::finding::counted;
use super::layout::{Layout, PartSummary, Style, Taken};
use super::words::Part;

impl Layout {
    /// How it is laid out, and a line for each part.
    pub fn lines(&self) -> Vec<String> {
        let style = match self.style {
            Style::Bmad => "parts with classes in them, as BMAD has them",
            Style::Mvtec => "kinds of defects and masks in folders of their own, as MVTec AD has them",
            Style::Classes => "classes without parts; all of it is taken as test",
        };
        let mut lines = vec![format!("layout: {style}")];
        lines.extend(self.parts.iter().map(line));
        let has = |part| self.parts.iter().any(|summary| summary.part == part && summary.normal > 0);
        if has(Part::Train) && !has(Part::Valid) {
            lines.push("there are no normal pictures in valid: shots and references are drawn from train".to_owned());
        }
        lines
    }
}

fn line(part: &PartSummary) -> String {
    let mut line = format!("{}: {} normal{}", part.part.name(), part.normal, in_folders(&part.normal_folders));
    line += &format!(", {} abnormal{}", part.abnormal, in_folders(&part.abnormal_folders));
    if part.masks > 0 {
        line += &format!(", {}{}", counted(part.masks, "mask"), in_folders(&part.mask_folders));
    } else if part.abnormal > 0 {
        line += ", no masks";
    }
    if part.persons > 0 {
        line += &format!("; {} by their folders", counted(part.persons, "person"));
    }
    line
}

/// ` (a, b)`, or nothing.
fn in_folders(taken: &[Taken]) -> String {
    let names: Vec<&str> = taken.iter().map(|taken| taken.folder.as_str()).collect();
    if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
}
