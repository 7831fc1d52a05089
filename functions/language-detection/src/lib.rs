//! The paper's language-detection: character classes, trigram counts and rank distances over the
//! whole text, with a large fixed cost.
//!
//! `whatlang` counts trigrams in a hash map and sorts them afterwards, so the seed of the map does
//! not affect the output.

use lumos_function::{Context, Error, Function, Source};
use serde::{Deserialize, Serialize};

/// Detects the language of a text.
pub struct LanguageDetection;

/// `{"input": {"inline": "..."}}`
#[derive(Debug, Deserialize)]
pub struct Request {
    input: Source,
}

/// `{"language": "spa"}`: an ISO 639-3 code.
#[derive(Debug, Serialize)]
pub struct Output {
    language: &'static str,
}

impl Function for LanguageDetection {
    type Request = Request;
    type Output = Output;

    fn run(request: Request, cx: &mut Context) -> Result<Output, Error> {
        let bytes = cx.get(request.input)?;
        let text = cx.deserialize(|| String::from_utf8(bytes)).map_err(Error::bad_request)?;
        let found = whatlang::detect(&text)
            .ok_or_else(|| Error::bad_request("the language of the text is unknown"))?;
        Ok(Output { language: found.lang().code() })
    }
}

lumos_function::export!(LanguageDetection);

#[cfg(test)]
mod tests {
    use lumos_function::{respond, wire::GuestPhases};

    use super::*;

    fn ask(request: &str) -> Result<String, Error> {
        respond::<LanguageDetection>(request.as_bytes(), &mut GuestPhases::default())
            .map(|body| String::from_utf8(body).unwrap())
    }

    #[test]
    fn detects_the_language_of_published_texts() {
        let spanish = r#"{"input":{"inline":"mañana amigo trabajo corazón ciudad felicidad"}}"#;
        assert_eq!(ask(spanish).unwrap(), r#"{"language":"spa"}"#);
        let german = r#"{"input":{"inline":"Hallo ich bin ein Mensch der Deutsch spricht."}}"#;
        assert_eq!(ask(german).unwrap(), r#"{"language":"deu"}"#);
    }

    #[test]
    fn rejects_texts_without_a_language() {
        let error = ask(r#"{"input":{"inline":"1234"}}"#).unwrap_err();
        assert!(error.message().contains("language") && error.is_bad_request());
        assert!(ask(r#"{"input":"hola"}"#).unwrap_err().message().contains("line 1"));
    }
}
