//! The paper's fuzzy-search: hashing and allocation for each word, and one Jaro-Winkler distance
//! for each distinct word.
//!
//! `simsearch` keeps its tokens in hash maps with random seeds. Their order does not affect the
//! output, because every token is scored and the output is sorted.

use lumos_function::{Context, Error, Function, Source};
use serde::{Deserialize, Serialize};
use simsearch::SimSearch;

/// Finds similar lines.
pub struct FuzzySearch;

/// `{"search_term": "apple", "input": {"inline": "..."}}`
#[derive(Debug, Deserialize)]
pub struct Request {
    search_term: String,
    input: Source,
}

/// `{"lines": "0,17"}`: the numbers of the matching lines, from 0, in ascending order.
#[derive(Debug, Serialize)]
pub struct Output {
    lines: String,
}

impl Function for FuzzySearch {
    type Request = Request;
    type Output = Output;

    fn run(request: Request, cx: &mut Context) -> Result<Output, Error> {
        let bytes = cx.get(request.input)?;
        let text = cx.deserialize(|| String::from_utf8(bytes)).map_err(Error::bad_request)?;
        let lines = similar_lines(&text, &request.search_term);
        Ok(Output { lines: lines.iter().map(u32::to_string).collect::<Vec<_>>().join(",") })
    }
}

lumos_function::export!(FuzzySearch);

/// The numbers of the lines of `text` that contain a word similar to `term`, in ascending order.
pub fn similar_lines(text: &str, term: &str) -> Vec<u32> {
    let mut engine = SimSearch::new();
    for (number, line) in (0_u32..).zip(text.lines()) {
        engine.insert(number, line);
    }
    let mut lines = engine.search(term);
    lines.sort_unstable();
    lines
}

#[cfg(test)]
mod tests {
    use lumos_function::{respond, wire::GuestPhases};

    use super::*;

    #[test]
    fn finds_similar_lines_in_ascending_order() {
        let text = "kqzvx apple mnbtr\nzzzzz yyyyy\nApples wwwww\nbbbbb aplpe\nccccc ddddd\n";
        assert_eq!(similar_lines(text, "apple"), [0, 2, 3]);
        assert_eq!(similar_lines(text, "zzzzz"), [1]);
        assert!(similar_lines("", "apple").is_empty());
    }

    #[test]
    fn answers_with_line_numbers_and_rejects_bad_requests() {
        let respond = |request: &str| {
            respond::<FuzzySearch>(request.as_bytes(), &mut GuestPhases::default())
                .map(|body| String::from_utf8(body).unwrap())
        };
        let found = respond(r#"{"search_term":"apple","input":{"inline":"a\napple\nb\napple"}}"#);
        assert_eq!(found.unwrap(), r#"{"lines":"1,3"}"#);
        let unknown = respond(r#"{"search_term":"apple","input":{"ftp":"x"}}"#).unwrap_err();
        assert!(unknown.message().contains("unknown variant `ftp`"), "{unknown}");
    }

    #[test]
    fn rejects_bytes_that_are_not_text() {
        let path = std::env::temp_dir().join(format!("lumos-fuzzy-{}", std::process::id()));
        std::fs::write(&path, b"apple\xff").unwrap();
        let request = format!(r#"{{"search_term":"apple","input":{{"local":{path:?}}}}}"#);
        let error = respond::<FuzzySearch>(request.as_bytes(), &mut GuestPhases::default());
        std::fs::remove_file(&path).unwrap();
        let error = error.unwrap_err();
        assert!(error.message().contains("utf-8") && error.is_bad_request());
    }
}
