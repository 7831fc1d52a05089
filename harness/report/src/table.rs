//! Tables as values, for all renderers.

/// Columns of equal length.
#[derive(Debug)]
pub(crate) struct Table {
    pub columns: Vec<Column>,
    /// The first columns, which hold words; the others hold numbers.
    pub words: usize,
    /// The first columns, which are repeated in each part of a table that is too wide.
    pub repeated: usize,
}

/// A column.
#[derive(Debug, Default)]
pub(crate) struct Column {
    /// Its name, on two lines.
    pub header: [String; 2],
    /// An entry per row.
    pub entries: Vec<String>,
    /// An entry below all rows.
    pub footer: Option<String>,
}

impl Column {
    pub fn new(header: [&str; 2], entries: Vec<String>) -> Self {
        Self { header: header.map(str::to_owned), entries, footer: None }
    }
}

impl Table {
    /// A table that repeats its words.
    pub fn of_columns(columns: Vec<Column>, words: usize) -> Self {
        Self { columns, words, repeated: words }
    }

    /// A table without rows, whose columns have names of one line.
    pub fn with_header<'a>(header: impl IntoIterator<Item = &'a str>, words: usize) -> Self {
        let column = |name| Column::new(["", name], Vec::new());
        Self::of_columns(header.into_iter().map(column).collect(), words)
    }

    /// Adds a row, with an entry per column.
    pub fn push(&mut self, row: impl IntoIterator<Item = String>) {
        for (column, entry) in self.columns.iter_mut().zip(row) {
            column.entries.push(entry);
        }
    }

    /// Number of rows, without the footer.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.entries.len())
    }
}
