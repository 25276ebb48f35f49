use crate::config_file::Severity;

use super::*;

#[test]
fn documents_are_read() {
    for text in [
        "<a/>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- b -->\n<a b='c' d=\"e>f\">g &amp; &#65;&#x41;</a>\n<!-- h -->\n",
        "\u{feff}<?xml version=\"1.0\"?><a/>",
        "<?xml-stylesheet href='a'?><a/>",
        "<!DOCTYPE a SYSTEM \"a.dtd\"><a>&b;</a>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><a d=\"&b;\"/>",
        "<a xmlns:b=\"c\"><b:d.e-f_1/></a>",
        "<a><![CDATA[ < & ]]></a>",
        "<ä b=\"ö\"/>",
        "<a>&quot;&apos;&lt;&gt;</a>",
        "<a\n  b = 'c'\n/>",
    ] {
        assert_eq!(flaw(text), None, "{text}");
    }
}

#[test]
fn what_is_not_well_formed_is_broken() {
    for (text, offset, expected) in [
        ("<a>\n<b></a>", 7, "expected the end tag of the element of line 2"),
        ("<a>", 3, "expected an end tag: the element of line 1 is not closed"),
        ("<a></a></b>", 7, "expected no end tag: no element is open"),
        ("<a>b & c</a>", 5, "expected \"&amp;\", or \";\" after the name of an entity"),
        ("<a>&nbsp;</a>", 3, "expected an entity that is declared"),
        ("<a>&#0;</a>", 3, "expected the number of a character after \"&#\""),
        ("<a>&#x110000;</a>", 3, "expected the number of a character after \"&#\""),
        ("<a b=\"?c=1&d=2\"/>", 10, "expected \"&amp;\" instead of \"&\""),
        ("<a b=\"c\" b=\"d\"/>", 9, "expected no second attribute of this name"),
        ("<a b=c/>", 5, "expected a value in quotes"),
        ("<a b/>", 4, "expected \"=\" after the name of the attribute"),
        ("<a b=\"<c>\"/>", 6, "expected \"&lt;\" instead of \"<\" within a value"),
        ("<a b=\"c/>", 0, "expected a quote after the value of the attribute"),
        ("<a>1 < 2</a>", 5, "expected a name, or \"&lt;\" instead of \"<\""),
        ("<a><!-- b", 3, "expected \"-->\" after the comment"),
        ("<a><!-- b -- c --></a>", 10, "expected no \"--\" within a comment"),
        ("\n<?xml version=\"1.0\"?><a/>", 1, "expected nothing before \"<?xml\", not even blanks"),
        ("b <a/>", 0, "expected no text outside of the outermost element"),
        ("<a/>\n b", 6, "expected no text outside of the outermost element"),
        ("text", 0, "expected no text outside of the outermost element"),
        ("<a>\0</a>", 3, "expected no control character"),
        ("<a", 0, "expected \">\" after the tag"),
    ] {
        assert_eq!(flaw(text), Some(Flaw::broken(offset, expected)), "{text}");
    }
}

#[test]
fn what_may_be_a_part_of_a_document_is_lenient() {
    for (text, offset) in [("<a/><b/>", 4), ("<a></a>\n<a></a>", 8), ("<!-- a -->\n", 10)] {
        let flaw = flaw(text).map(|flaw| (flaw.severity, flaw.offset));
        assert_eq!(flaw, Some((Severity::Lenient, offset)), "{text}");
    }
}
