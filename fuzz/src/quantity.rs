//! Quantities: what is read is what is stored. The target of this name compares with big integers,
//! too.

use restraint::kube::quantity::Quantity;

pub(crate) fn run(text: &str) {
    let Ok(quantity) = Quantity::parse(text) else { return };
    assert_eq!(quantity.text(), text);
    assert_eq!(
        quantity.is_zero(),
        quantity.value() == Some(0) && quantity.milli_value() == Some(0) && is_nothing(&quantity)
    );
    let canonical = quantity.canonical();
    // an exponent that nobody means is written out by the API server, and kept here
    let stored = Quantity::parse(canonical.as_str()).expect("the canonical text is a quantity");
    if !drops_a_power(&quantity) {
        assert_eq!(stored, quantity, "{text} is stored as {canonical}");
    }
    assert_eq!(stored.canonical(), canonical, "{text} is stored as {canonical}");
}

fn is_nothing(quantity: &Quantity<'_>) -> bool {
    *quantity == Quantity::parse("0").expect("a quantity")
}

/// The API server's own exception: a multiple of 10^21 may lose its power of ten.
fn drops_a_power(quantity: &Quantity<'_>) -> bool {
    quantity.value().is_none()
}
