//! The files of the AWS tools, `~/.aws/config` and `~/.aws/credentials`: profiles by their names.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use crate::builtins::files;
use crate::types::{Fault, FaultKind};

/// Such a file is a page or two; one beyond this is something else.
const LARGEST: u64 = 1 << 20;

/// Names and values, names in lower case.
pub(super) type Section = BTreeMap<String, String>;

/// What both files say.
#[derive(Debug, Default)]
pub(super) struct Profiles {
    named: BTreeMap<String, Section>,
    /// `[sso-session NAME]`
    sessions: BTreeMap<String, Section>,
    /// What was read and what was not there, for messages.
    pub(super) looked: Vec<String>,
}

impl Profiles {
    /// Reads both files. One that is not there says nothing; one that cannot be read is a fault.
    pub(super) async fn read(environment: &Environment) -> Result<Self, Fault> {
        let mut profiles = Self::default();
        // Where both have a key, the credentials file is the one that counts: it is read last.
        for (variable, name) in [("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")] {
            let Some(path) = path(environment, variable, name) else {
                profiles.looked.push(format!("no home directory to look for `.aws/{name}` in"));
                continue;
            };
            match text(&path).await? {
                Some(text) => {
                    profiles.add(&text, name == "config").map_err(|line| {
                        Fault::new(FaultKind::Setup, format!("`{}` cannot be read from line {line} on", path.display()))
                            .help("it holds sections, `[profile name]`, and lines of `name = value`")
                    })?;
                    profiles.looked.push(format!("`{}`", path.display()));
                }
                None => profiles.looked.push(format!("`{}`, which is not there", path.display())),
            }
        }
        Ok(profiles)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Section> {
        self.named.get(name)
    }

    pub(super) fn session(&self, name: &str) -> Option<&Section> {
        self.sessions.get(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    /// Adds what a file says, or gives the line that is neither a section nor a value.
    fn add(&mut self, text: &str, is_config: bool) -> Result<(), usize> {
        let mut section: Option<&mut Section> = None;
        for (index, line) in text.lines().enumerate() {
            let trimmed = line.trim();
            // What is indented belongs to the value above it (`s3 =`), none of which is of use here.
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) || line.starts_with([' ', '\t']) {
                continue;
            }
            if let Some(rest) = trimmed.strip_prefix('[') {
                let (head, _) = rest.split_once(']').ok_or(index + 1)?;
                section = self.section(head.trim(), is_config);
                continue;
            }
            let (name, value) = trimmed.split_once('=').ok_or(index + 1)?;
            if let Some(section) = &mut section {
                section.insert(name.trim().to_lowercase(), plain(value).to_owned());
            }
        }
        Ok(())
    }

    /// The section of a head; `None` where it is of something else (`services`) or not a profile.
    fn section(&mut self, head: &str, is_config: bool) -> Option<&mut Section> {
        let named = |kind: &str| head.strip_prefix(kind).filter(|rest| rest.starts_with(char::is_whitespace));
        let (into, name) = match (named("profile"), named("sso-session")) {
            (Some(name), _) if is_config => (&mut self.named, name),
            (_, Some(name)) if is_config => (&mut self.sessions, name),
            _ if !is_config || head == "default" => (&mut self.named, head),
            _ => return None,
        };
        Some(into.entry(name.trim().trim_matches('"').to_owned()).or_default())
    }
}

/// A value without the comment behind it.
fn plain(value: &str) -> &str {
    let end = [" #", " ;", "\t#", "\t;"].iter().filter_map(|start| value.find(start)).min().unwrap_or(value.len());
    value.get(..end).unwrap_or(value).trim()
}

fn path(environment: &Environment, variable: &str, name: &str) -> Option<PathBuf> {
    let home = environment.home();
    match environment.get(variable) {
        Some(path) => match path.strip_prefix("~/") {
            Some(rest) => home.map(|home| home.join(rest)),
            None => Some(PathBuf::from(path)),
        },
        None => home.map(|home| home.join(".aws").join(name)),
    }
}

async fn text(path: &Path) -> Result<Option<String>, Fault> {
    let metadata = match tokio::fs::metadata(path).await {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(setup(files::fault("read", path, &error))),
    };
    if !metadata.is_file() || metadata.len() > LARGEST {
        let why = if metadata.is_file() { "is larger than 1MiB" } else { "is no file" };
        return Err(Fault::new(FaultKind::Setup, format!("`{}` {why}", path.display())));
    }
    let bytes = tokio::fs::read(path).await.map_err(|error| setup(files::fault("read", path, &error)))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Fault::new(FaultKind::Setup, format!("`{}` is not UTF-8 text", path.display())))?;
    Ok(Some(text))
}

fn setup(fault: Fault) -> Fault {
    Fault { kind: FaultKind::Setup, ..fault }
}

#[cfg(test)]
mod tests {
    use super::Profiles;

    #[test]
    fn profiles_as_the_aws_tools_write_them() {
        let mut profiles = Profiles::default();
        let config = "\u{20}\n# a comment\n[default]\nregion = eu-west-1 # Dublin\n[profile \"ops team\"]\nRole_Arn=arn:x\n\
                      s3 =\n    addressing_style = path\noutput = json\n[sso-session corp]\nsso_region = us-east-1\n[services x]\ns3 =\n";
        profiles.add(config, true).expect("a file");
        profiles.add("[default]\naws_access_key_id = A#B\n[ci]\naws_access_key_id=C\n", false).expect("a file");
        let value = |profile: &str, name: &str| profiles.get(profile).and_then(|section| section.get(name)).cloned();
        assert_eq!(value("default", "region").as_deref(), Some("eu-west-1"));
        assert_eq!(value("default", "aws_access_key_id").as_deref(), Some("A#B"));
        assert_eq!(value("ops team", "role_arn").as_deref(), Some("arn:x"));
        assert_eq!(value("ops team", "output").as_deref(), Some("json"));
        assert_eq!(value("ops team", "addressing_style"), None);
        assert_eq!(profiles.names().collect::<Vec<_>>(), ["ci", "default", "ops team"]);
        assert!(profiles.session("corp").is_some());
        assert_eq!(Profiles::default().add("[default]\nnonsense\n", true), Err(2));
        assert_eq!(Profiles::default().add("[default\n", true), Err(1));
    }
}
