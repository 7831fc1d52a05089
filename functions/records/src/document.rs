//! The document: what a service exchanges with another one. `lumos-inputs` writes it.

use std::collections::BTreeMap;

use lumos_function::Error;
use serde::{Deserialize, Serialize};

/// Records, and text that makes the document as long as it should be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// In ascending order of their ids.
    pub records: Vec<Record>,
    /// Means nothing.
    pub padding: String,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its key.
    pub id: u64,
    /// Who it is about.
    pub name: String,
    /// Whether it counts.
    pub active: bool,
    /// What it is filed under.
    pub tags: Vec<String>,
    /// Where.
    pub address: Address,
    /// What was measured.
    pub metrics: Metrics,
    /// Some records have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Some records have one: the id of an earlier record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u64>,
}

/// A place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Address {
    /// Street and number.
    pub street: String,
    /// City.
    pub city: String,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

/// Numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Between 0 and 100.
    pub score: f64,
    /// Any number.
    pub balance: f64,
    /// How often.
    pub visits: u32,
}

/// What a document adds up to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// How many records there are.
    pub records: u64,
    /// How many of them are active.
    pub active: u64,
    /// Visits of the active ones.
    pub visits: u64,
    /// Balances of the active ones, added in the document's order.
    pub balance: f64,
    /// Active records of each tag.
    pub tags: BTreeMap<String, u64>,
}

impl Document {
    /// Checks every record and adds up the active ones.
    ///
    /// # Errors
    /// When a record contradicts the document's rules.
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
    /// `last` is the id of the record before.
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
            // Most tags are known already; only a new one is copied.
            match self.tags.get_mut(tag) {
                Some(count) => *count += 1,
                None => {
                    self.tags.insert(tag.clone(), 1);
                }
            }
        }
    }
}
