//! Tags, their attributes, and references to entities and characters.

use quick_xml::events::BytesStart;
use quick_xml::events::attributes::AttrError;

use crate::config_file::flaw::Flaw;

/// The entities that need no declaration.
const ENTITIES: [&str; 5] = ["amp", "lt", "gt", "quot", "apos"];

/// With more attributes than these nobody looks for one that stands twice: it takes a time that
/// grows with their square.
const MOST_COMPARED: usize = 64;

/// Whether no document may have it.
pub(super) fn is_forbidden(letter: char) -> bool {
    matches!(letter, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

/// Checks a start tag that begins at `start`: its name, and its attributes.
pub(super) fn check_tag(tag: &BytesStart<'_>, start: usize, declared: bool) -> Result<(), Flaw> {
    // behind the bracket
    let content = start.saturating_add(1);
    if !is_name(tag.name().as_ref()) {
        return Err(Flaw::broken(start, "expected a name, or \"&lt;\" instead of \"<\""));
    }
    let raw = tag.attributes_raw();
    let mut attributes = tag.attributes();
    attributes.with_checks(raw.matches('=').count() <= MOST_COMPARED);
    let mut read = tag.len().saturating_sub(raw.len());
    for attribute in attributes {
        let attribute = attribute.map_err(|error| attribute_flaw(&error, content))?;
        let rest = tag.get(read..).unwrap_or_default();
        // before the first quote there is only the name
        let quote = rest.find(['"', '\'']).map_or(read, |at| read.saturating_add(at));
        let place = content.saturating_add(quote).saturating_add(1);
        read = quote.saturating_add(attribute.value.len()).saturating_add(2);
        if !is_name(attribute.key.as_ref()) {
            return Err(Flaw::broken(place, "expected the name of an attribute before the value"));
        }
        check_value(&attribute.value, place, declared)?;
    }
    Ok(())
}

fn attribute_flaw(error: &AttrError, content: usize) -> Flaw {
    let (at, expected) = match error {
        AttrError::ExpectedEq(at) => (*at, "expected \"=\" after the name of the attribute"),
        AttrError::ExpectedValue(at) | AttrError::UnquotedValue(at) => {
            (*at, "expected a value in quotes")
        }
        AttrError::ExpectedQuote(at, _) => (*at, "expected a quote after the value"),
        AttrError::Duplicated(at, _) => (*at, "expected no second attribute of this name"),
    };
    Flaw::broken(content.saturating_add(at), expected)
}

/// Checks the value of an attribute, which stands at `place`.
fn check_value(value: &str, place: usize, declared: bool) -> Result<(), Flaw> {
    if let Some(at) = value.find('<') {
        let expected = "expected \"&lt;\" instead of \"<\" within a value";
        return Err(Flaw::broken(place.saturating_add(at), expected));
    }
    for (at, _) in value.match_indices('&') {
        let place = place.saturating_add(at);
        let rest = value.get(at.saturating_add(1)..).unwrap_or_default();
        match rest.split_once(';') {
            Some((name, _)) if !name.contains('&') => check_reference(name, place, declared)?,
            _ => return Err(Flaw::broken(place, "expected \"&amp;\" instead of \"&\"")),
        }
    }
    Ok(())
}

/// Checks what stands between `&`, which is at `place`, and `;`.
pub(super) fn check_reference(name: &str, place: usize, declared: bool) -> Result<(), Flaw> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix('x') {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        // XML 1.1 has all but this one
        return match code.ok().filter(|code| *code != 0).and_then(char::from_u32) {
            Some(_) => Ok(()),
            None => Err(Flaw::broken(place, "expected the number of a character after \"&#\"")),
        };
    }
    if !is_name(name) {
        return Err(Flaw::broken(place, "expected \"&amp;\" instead of \"&\""));
    }
    if declared || ENTITIES.contains(&name) {
        return Ok(());
    }
    Err(Flaw::broken(place, "expected an entity that is declared"))
}

fn is_name(text: &str) -> bool {
    let is_first =
        |letter: char| letter.is_alphabetic() || "_:".contains(letter) || !letter.is_ascii();
    text.starts_with(is_first)
        && text
            .chars()
            .all(|letter| is_first(letter) || letter.is_ascii_digit() || "-.".contains(letter))
}
