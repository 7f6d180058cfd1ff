//! Which errors are caused by the user's arguments, and how an error is written on a terminal.

use std::error::Error;

use thiserror::Error;

use crate::bundle::error::BundleError;
use crate::train::TrainError;

/// Arguments that parse but cannot be right together or for this model.
#[derive(Debug, Error)]
#[error("{0}")]
pub(super) struct BadUsage(pub(super) String);

/// Whether other arguments would help.
pub(super) fn is_bad_usage(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let of_training = cause.downcast_ref::<TrainError>();
        let of_the_model = match of_training {
            Some(TrainError::Model(error)) => Some(error),
            _ => cause.downcast_ref::<BundleError>(),
        };
        cause.is::<BadUsage>()
            || matches!(
                of_the_model,
                Some(BundleError::UnknownObject { .. } | BundleError::Options(_) | BundleError::OutputFolder { .. })
            )
            || matches!(of_training, Some(TrainError::Out(_) | TrainError::ForeignState { .. }))
    })
}

/// The error and its causes on one line, each reported once: many errors already quote their cause.
pub(super) fn chain(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        add(&mut line, cause);
    }
    line
}

fn add(line: &mut String, cause: &dyn Error) {
    let text = cause.to_string();
    if line.contains(&text) {
        return;
    }
    if !line.is_empty() {
        line.push_str(": ");
    }
    line.push_str(&text);
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let source = std::io::Error::other("no such thing");
        let error: anyhow::Error = BundleError::Io { path: "a.bin".to_owned(), source }.into();
        assert_eq!(chain(&error.context("cannot open")), "cannot open: a.bin: no such thing");
    }

    #[test]
    fn usage_is_seen_through_context() {
        let unknown = BundleError::UnknownObject { id: "x".to_owned(), known: vec![] };
        assert!(is_bad_usage(&Err::<(), _>(unknown).context("while").unwrap_err()));
        assert!(is_bad_usage(&BadUsage("x".to_owned()).into()));
        assert!(!is_bad_usage(&anyhow!("x")));
    }
}
