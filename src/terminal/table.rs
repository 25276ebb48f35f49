//! Tables for people.

/// What stands between two columns, as with kubectl.
const GAP: usize = 3;

/// `rows` with their cells below each other.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().saturating_add(GAP).max(*width);
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths);
        let line: String = cells.map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", line.trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["NAME", "STATE"], ["é-1234", ""], ["b", "on"]];
        let expected = "NAME     STATE\né-1234\nb        on\n";
        assert_eq!(table(&rows.map(|row| row.map(str::to_owned))), expected);
    }
}
