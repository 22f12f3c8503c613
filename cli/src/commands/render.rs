use std::path::PathBuf;

use clap::Args;
use lattice_core::view;

use super::{manifest_of, not_among};
use crate::args::{Format, OverlayArgs};
use crate::file;
use crate::render;
use crate::session::{Done, Outcome, Session};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al render policies.yaml --overlay production.yaml
  al render policies/ --out policies.yaml       one manifest out of a folder of them
  al render policies.yaml --overlay production.yaml | sha256sum")]
pub(crate) struct Render {
    /// The manifest, or a folder of them; `-` is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    overlay: OverlayArgs,
    /// The file to write; `-` is stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Render {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        Session::stdin_once([&self.file].into_iter().chain(&self.overlay.overlays))?;
        let (manifest, bundle) = manifest_of(&self.file, &self.overlay, session)?;
        let Some(path) = self.out.filter(|path| path.as_os_str() != "-") else {
            let document = if session.output.format == Format::Json {
                let file = self.file.display().to_string();
                render::json(&view::Manifest::new(Some(&file), &manifest))?
            } else {
                manifest.to_text()
            };
            return Ok(Done::with(document));
        };
        not_among(&path, &self.file, &bundle, None)?;
        file::replace(&path, manifest.to_text().as_bytes(), session.io)?;
        session.note(format_args!("wrote {}", path.display()));
        Ok(Done::silent())
    }
}
