//! A quantity as a summary describes it. In files the keys end in its unit: `median_ns`,
//! `median_bytes`.

use std::collections::BTreeMap;

use lumos_model::quantity::{Quantity, Unit};
use lumos_stats::{Bootstrap, Percentile, Samples, ci};
use serde::de::Error;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Median, tail and interval of a quantity, rounded to whole units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    unit: Unit,
    median: u64,
    p95: u64,
    p99: u64,
    ci95: [u64; 2],
}

impl Estimate {
    pub(crate) fn new(samples: &Samples, unit: Unit, plan: &Bootstrap) -> Self {
        let median = ci(samples, Percentile::MEDIAN, plan);
        Self {
            unit,
            median: whole(median.estimate),
            p95: whole(samples.percentile(Percentile::P95)),
            p99: whole(samples.percentile(Percentile::P99)),
            ci95: [median.lo, median.hi].map(whole),
        }
    }

    /// The median.
    pub fn median(&self) -> Quantity {
        self.quantity(self.median)
    }

    /// The 95th percentile, interpolated; with few samples it is close to the largest one.
    pub fn p95(&self) -> Quantity {
        self.quantity(self.p95)
    }

    /// The 99th percentile, also interpolated.
    pub fn p99(&self) -> Quantity {
        self.quantity(self.p99)
    }

    /// The 95 % bootstrap interval of the median.
    pub fn ci95(&self) -> [Quantity; 2] {
        self.ci95.map(|end| self.quantity(end))
    }

    fn quantity(&self, value: u64) -> Quantity {
        Quantity { value, unit: self.unit }
    }
}

/// Percentiles of a quantity under load, rounded to whole units. They have no intervals:
/// requests of a block share a queue, so they are not independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantiles {
    /// The unit of the values.
    pub unit: Unit,
    /// The median.
    pub p50: u64,
    /// The 95th percentile.
    pub p95: u64,
    /// The 99th percentile.
    pub p99: u64,
}

impl Quantiles {
    pub(crate) fn new(values: impl IntoIterator<Item = f64>, unit: Unit) -> Option<Self> {
        let samples = Samples::new(values).ok()?;
        let at = |percentile| whole(samples.percentile(percentile));
        Some(Self {
            unit,
            p50: at(Percentile::MEDIAN),
            p95: at(Percentile::P95),
            p99: at(Percentile::P99),
        })
    }

    /// The median.
    pub fn p50(&self) -> Quantity {
        Quantity { value: self.p50, unit: self.unit }
    }

    /// The 95th percentile.
    pub fn p95(&self) -> Quantity {
        Quantity { value: self.p95, unit: self.unit }
    }

    /// The 99th percentile.
    pub fn p99(&self) -> Quantity {
        Quantity { value: self.p99, unit: self.unit }
    }
}

fn whole(value: f64) -> u64 {
    value.round() as u64
}

impl Serialize for Estimate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry(&self.unit.key("median"), &self.median)?;
        map.serialize_entry(&self.unit.key("p95"), &self.p95)?;
        map.serialize_entry(&self.unit.key("p99"), &self.p99)?;
        map.serialize_entry(&self.unit.key("ci95"), &self.ci95)?;
        map.end()
    }
}

impl Serialize for Quantiles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry(&self.unit.key("p50"), &self.p50)?;
        map.serialize_entry(&self.unit.key("p95"), &self.p95)?;
        map.serialize_entry(&self.unit.key("p99"), &self.p99)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Estimate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::read(deserializer, "median")?;
        Ok(Self {
            unit: fields.unit,
            median: fields.value("median")?,
            p95: fields.value("p95")?,
            p99: fields.value("p99")?,
            ci95: fields.range("ci95")?,
        })
    }
}

impl<'de> Deserialize<'de> for Quantiles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::read(deserializer, "p50")?;
        Ok(Self {
            unit: fields.unit,
            p50: fields.value("p50")?,
            p95: fields.value("p95")?,
            p99: fields.value("p99")?,
        })
    }
}

/// An object whose keys end in one unit.
struct Fields {
    unit: Unit,
    fields: BTreeMap<String, Field>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Field {
    Value(u64),
    Range([u64; 2]),
}

impl Fields {
    /// Reads an object; the key of the field `first` names the unit.
    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        first: &'static str,
    ) -> Result<Self, D::Error> {
        let fields = BTreeMap::<String, Field>::deserialize(deserializer)?;
        let unit = Unit::ALL.into_iter().find(|unit| fields.contains_key(&unit.key(first)));
        Ok(Self { unit: unit.ok_or_else(|| D::Error::missing_field(first))?, fields })
    }

    fn value<E: Error>(&self, name: &'static str) -> Result<u64, E> {
        match self.fields.get(&self.unit.key(name)) {
            Some(Field::Value(value)) => Ok(*value),
            _ => Err(E::missing_field(name)),
        }
    }

    fn range<E: Error>(&self, name: &'static str) -> Result<[u64; 2], E> {
        match self.fields.get(&self.unit.key(name)) {
            Some(Field::Range(range)) => Ok(*range),
            _ => Err(E::missing_field(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_files_end_in_the_unit() {
        let estimate = Estimate { unit: Unit::Bytes, median: 5, p95: 7, p99: 8, ci95: [4, 6] };
        let json = serde_json::to_string(&estimate).unwrap();
        assert_eq!(json, r#"{"median_bytes":5,"p95_bytes":7,"p99_bytes":8,"ci95_bytes":[4,6]}"#);
        assert_eq!(serde_json::from_str::<Estimate>(&json).unwrap(), estimate);
        assert!(serde_json::from_str::<Estimate>(r#"{"median_ns":5,"p95_bytes":7}"#).is_err());

        let quantiles = Quantiles { unit: Unit::Count, p50: 1, p95: 2, p99: 3 };
        let json = serde_json::to_string(&quantiles).unwrap();
        assert_eq!(json, r#"{"p50":1,"p95":2,"p99":3}"#);
        assert_eq!(serde_json::from_str::<Quantiles>(&json).unwrap(), quantiles);
    }
}
