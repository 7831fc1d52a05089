//! Serialisation as in real services: a structured document is decoded, checked, summed up, and
//! encoded again. This function is not from the paper, whose serialisation is the UTF-8 validation
//! of a text.
//!
//! Decoding counts as `deserialize`, summing up as `compute`, encoding as `serialize`. A
//! MessagePack document contains the names of its fields, like a JSON document. Inline it is sent
//! as base64, whose decoding counts as `deserialize` too.

pub mod document;

use document::{Document, Totals};
use lumos_function::{Base64, Context, Error, Function, Sink, Source, Stored};
use serde::{Deserialize, Serialize};

/// Decodes, sums up and encodes a document of records.
pub struct Records;

/// `{"format": "json", "input": {"inline": "..."}, "output": "inline"}`
#[derive(Debug, Deserialize)]
pub struct Request {
    format: Format,
    input: Source,
    output: Sink,
}

/// The encoding of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON text.
    Json,
    /// MessagePack, with the fields' names.
    MessagePack,
}

/// The totals, and where the document was stored.
#[derive(Debug, Serialize)]
pub struct Output {
    #[serde(flatten)]
    totals: Totals,
    document: Stored,
}

impl Function for Records {
    type Request = Request;
    type Output = Output;

    fn run(Request { format, input, output }: Request, cx: &mut Context) -> Result<Output, Error> {
        let is_text = matches!(input, Source::Inline(_));
        let bytes = cx.get(input)?;
        let document = cx.deserialize(|| match format {
            Format::MessagePack if is_text => decode(format, &Base64::decode(&bytes)?.0),
            _ => decode(format, &bytes),
        })?;
        drop(bytes);
        let totals = document.add_up()?;
        let bytes = cx.serialize(|| encode(format, &document))?;
        Ok(Output { totals, document: cx.put(output, bytes)? })
    }
}

lumos_function::export!(Records);

/// Decodes a document.
///
/// # Errors
/// When the bytes are not a document.
pub fn decode(format: Format, bytes: &[u8]) -> Result<Document, Error> {
    match format {
        Format::Json => serde_json::from_slice(bytes).map_err(Error::bad_request),
        Format::MessagePack => rmp_serde::from_slice(bytes).map_err(Error::bad_request),
    }
    .map_err(|error| error.context("the document is not understood"))
}

/// Encodes a document.
///
/// # Errors
/// None: every document of this crate can be encoded.
pub fn encode(format: Format, document: &Document) -> Result<Vec<u8>, Error> {
    Ok(match format {
        Format::Json => serde_json::to_vec(document)?,
        Format::MessagePack => rmp_serde::to_vec_named(document)?,
    })
}

#[cfg(test)]
mod tests {
    use lumos_function::{respond, wire::GuestPhases};

    use super::*;

    const TWO: &str = r#"{"records":[
        {"id":1,"name":"Ada","active":true,"tags":["a","b"],
         "address":{"street":"Alley 1","city":"Graz","latitude":47.07,"longitude":15.44},
         "metrics":{"score":99.5,"balance":-12.25,"visits":3}},
        {"id":2,"name":"Bo","active":true,"tags":["b"],"note":"é","parent":1,
         "address":{"street":"Lane 2","city":"Wien","latitude":48.2,"longitude":16.37},
         "metrics":{"score":0.0,"balance":0.5,"visits":4}}],
        "padding":"..."}"#;

    fn answer(request: &serde_json::Value) -> Result<serde_json::Value, Error> {
        let body = respond::<Records>(request.to_string().as_bytes(), &mut GuestPhases::default())?;
        Ok(serde_json::from_slice(&body)?)
    }

    #[test]
    fn both_formats_give_the_same_totals_and_return_the_document() {
        let document = decode(Format::Json, TWO.as_bytes()).unwrap();
        let inline = |format, text: String| serde_json::json!({"format": format, "input": {"inline": text}, "output": "inline"});
        let packed = Base64(encode(Format::MessagePack, &document).unwrap());
        let packed = serde_json::to_value(packed).unwrap().as_str().unwrap().to_owned();
        let json = answer(&inline("json", TWO.to_owned())).unwrap();
        let message_pack = answer(&inline("messagepack", packed.clone())).unwrap();

        for answer in [&json, &message_pack] {
            assert_eq!(answer["records"], 2);
            assert_eq!((&answer["active"], &answer["visits"]), (&2.into(), &7.into()));
            assert_eq!(answer["balance"], -11.75);
            assert_eq!(answer["tags"], serde_json::json!({"a": 1, "b": 2}));
        }
        assert_eq!(message_pack["document"]["inline"], packed);
        let back = Base64::decode(json["document"]["inline"].as_str().unwrap()).unwrap().0;
        assert_eq!(decode(Format::Json, &back).unwrap(), document);
        assert!(!String::from_utf8(back).unwrap().contains("null"));
    }

    #[test]
    fn rejects_documents_that_violate_a_rule() {
        let with = |from: &str, to: &str| {
            let document = TWO.replace(from, to);
            let request = serde_json::json!(
                {"format": "json", "input": {"inline": document}, "output": "inline"});
            let error = answer(&request).unwrap_err();
            assert!(error.is_bad_request(), "{error}");
            error.message().to_owned()
        };
        assert_eq!(with("\"id\":2", "\"id\":1"), "record 1: its id does not ascend");
        assert_eq!(
            with("\"parent\":1", "\"parent\":2"),
            "record 2: its parent does not come before it"
        );
        assert!(with("48.2", "148.2").contains("not on the globe"));
        assert!(with("99.5", "100.5").contains("between 0 and 100"));
        assert!(with("\"name\":\"Bo\",", "").contains("not understood: missing field `name`"));
    }
}
