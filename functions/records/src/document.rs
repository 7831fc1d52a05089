//! The document, as services exchange it. `lumos-inputs` writes it.

use std::collections::BTreeMap;

use lumos_function::Error;
use serde::{Deserialize, Serialize};

/// Records, and padding that gives the document its exact size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// In ascending order of their ids.
    pub records: Vec<Record>,
    /// Padding without meaning.
    pub padding: String,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The key of the record.
    pub id: u64,
    /// The name of the person.
    pub name: String,
    /// Whether the totals include the record.
    pub active: bool,
    /// The categories of the record.
    pub tags: Vec<String>,
    /// The address of the person.
    pub address: Address,
    /// Measured values.
    pub metrics: Metrics,
    /// A comment; optional.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The id of an earlier record; optional.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u64>,
}

/// A postal address with its position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Address {
    /// Street and number.
    pub street: String,
    /// Name of the city.
    pub city: String,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

/// The measured values of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// A value between 0 and 100.
    pub score: f64,
    /// Any finite number.
    pub balance: f64,
    /// Number of visits.
    pub visits: u32,
}

/// The totals of a document.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Number of records.
    pub records: u64,
    /// Number of active records.
    pub active: u64,
    /// Sum of the visits of active records.
    pub visits: u64,
    /// Sum of the balances of active records, in the order of the document.
    pub balance: f64,
    /// Number of active records with each tag.
    pub tags: BTreeMap<String, u64>,
}

impl Document {
    /// Checks every record and sums up the active ones.
    ///
    /// # Errors
    /// When a record violates a rule of the document.
    pub fn add_up(&self) -> Result<Totals, Error> {
        let mut totals = Totals::default();
        let mut last = None;
        for record in &self.records {
            record.check(last)?;
            last = Some(record.id);
            totals.records += 1;
            if record.active {
                totals.add(record);
            }
        }
        Ok(totals)
    }
}

impl Record {
    /// `last` is the id of the previous record.
    fn check(&self, last: Option<u64>) -> Result<(), Error> {
        let wrong = |what: &str| Err(Error::bad_request(format!("record {}: {what}", self.id)));
        let Address { latitude, longitude, .. } = self.address;
        if last.is_some_and(|last| last >= self.id) {
            return wrong("its id does not ascend");
        }
        if self.parent.is_some_and(|parent| parent >= self.id) {
            return wrong("its parent does not come before it");
        }
        if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
            return wrong("its address is not on the globe");
        }
        if !(0.0..=100.0).contains(&self.metrics.score) {
            return wrong("its score is not between 0 and 100");
        }
        Ok(())
    }
}

impl Totals {
    fn add(&mut self, record: &Record) {
        self.active += 1;
        self.visits += u64::from(record.metrics.visits);
        self.balance += record.metrics.balance;
        for tag in &record.tags {
            // Most tags exist already; only a new tag is copied.
            match self.tags.get_mut(tag) {
                Some(count) => *count += 1,
                None => {
                    self.tags.insert(tag.clone(), 1);
                }
            }
        }
    }
}
