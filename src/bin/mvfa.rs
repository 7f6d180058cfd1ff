//! The command line `mvfa`; see `mvfa --help`.

fn main() -> std::process::ExitCode {
    mvfa_web::cli::run()
}
