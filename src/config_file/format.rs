//! What a file is written in.

/// What a file of configuration is written in, by the ending of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `.json`
    Json,
    /// `.yaml` and `.yml`
    Yaml,
    /// `.toml`
    Toml,
    /// `.properties`, as Java reads them.
    Properties,
    /// `.xml`
    Xml,
    /// `.ini`
    Ini,
}

/// The formats by ending.
const ENDINGS: [(&str, Format); 7] = [
    ("json", Format::Json),
    ("yaml", Format::Yaml),
    ("yml", Format::Yaml),
    ("toml", Format::Toml),
    ("properties", Format::Properties),
    ("xml", Format::Xml),
    ("ini", Format::Ini),
];

impl Format {
    /// The format of the file called `key`, in letters of either case; `None` for other endings.
    #[must_use]
    pub fn of_name(key: &str) -> Option<Self> {
        let (_, ending) = key.rsplit_once('.')?;
        let known = ENDINGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(ending))?;
        Some(known.1)
    }

    /// The format's name, for messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Yaml => "YAML",
            Self::Toml => "TOML",
            Self::Properties => "properties",
            Self::Xml => "XML",
            Self::Ini => "INI",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_tells_the_format() {
        for (key, expected) in [
            ("a.json", Some(Format::Json)),
            ("A.JSON", Some(Format::Json)),
            ("values.prod.yaml", Some(Format::Yaml)),
            (".yml", Some(Format::Yaml)),
            ("config.toml", Some(Format::Toml)),
            ("log4j.properties", Some(Format::Properties)),
            ("core-site.xml", Some(Format::Xml)),
            ("php.Ini", Some(Format::Ini)),
            ("json", None),
            ("a.json.tmpl", None),
            ("a.json5", None),
            ("nginx.conf", None),
            ("", None),
        ] {
            assert_eq!(Format::of_name(key), expected, "{key}");
        }
    }
}
