//! Figures of several rounds, and how they are shown.

/// The figures of one row.
#[derive(Default)]
pub(crate) struct Row(Vec<f64>);

impl Row {
    pub(crate) fn push(&mut self, figure: f64) {
        self.0.push(figure);
        self.0.sort_by(f64::total_cmp);
    }

    /// The median; 0 of no figures.
    pub(crate) fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or_default()
    }

    /// Median, least and most.
    pub(crate) fn show(&self, what: &str, unit: &str, digits: usize) {
        let (least, most) = (self.0.first().copied().unwrap_or_default(), self.0.last().copied().unwrap_or_default());
        println!("{what:<58} {:>10.digits$} {unit:<9} ({least:.digits$} to {most:.digits$})", self.median());
    }
}

pub(crate) fn heading(text: &str) {
    println!("\n{text}");
}
