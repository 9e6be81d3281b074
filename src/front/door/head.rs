//! The first checks of a request's head: whether its size, form and transport allow to serve it at
//! all.

use http::header::TRANSFER_ENCODING;
use http::{HeaderMap, Request};

use crate::front::live::Live;
use crate::front::sign_on::Refusal;
use crate::wire::Reason;

/// Whether a request can be served.
///
/// # Errors
/// It cannot, and why.
pub(super) fn check<B>(request: &Request<B>, live: &Live) -> Result<(), Refusal> {
    let headers = request.headers();
    let (size, limit) = (size(headers), live.limits.header_bytes);
    if size > limit {
        let detail = format!(
            "the header lines have {size} bytes together; front.max_header_bytes is {limit}"
        );
        return Err(Refusal::new(Reason::HeadTooLarge).with_detail(detail));
    }
    if let Some(coding) = foreign_coding(headers) {
        let detail = format!("Transfer-Encoding: {coding}");
        return Err(Refusal::new(Reason::TransferCoding).with_detail(detail));
    }
    if live.proxy.has_passed(headers) {
        let host = request.headers().get(http::header::HOST);
        let host = host.map_or_else(String::new, |host| {
            format!("the site of host {}", host.as_bytes().escape_ascii())
        });
        return Err(Refusal::new(Reason::LoopDetected).with_detail(host));
    }
    Ok(())
}

/// Header lines as HTTP/1.1 writes them: name, colon, blank, value, line end.
fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

/// A transfer coding besides `chunked`: whoever does not know it passes garbage on.
fn foreign_coding(headers: &HeaderMap) -> Option<String> {
    let mut lines = headers.get_all(TRANSFER_ENCODING).into_iter().map(|line| line.as_bytes());
    let strange = lines.find(|line| !line.trim_ascii().eq_ignore_ascii_case(b"chunked"))?;
    Some(strange.get(..100).unwrap_or(strange).escape_ascii().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_chunked_is_known() {
        for (lines, foreign) in [
            (&["chunked"][..], false),
            (&["Chunked "], false),
            (&["gzip, chunked"], true),
            (&["gzip", "chunked"], true),
            (&["chunked", "identity"], true),
            (&["x, , chunked"], true),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(TRANSFER_ENCODING, HeaderValue::from_static(line));
            }
            assert_eq!(foreign_coding(&headers).is_some(), foreign, "{lines:?}");
        }
    }

    #[test]
    fn a_head_is_as_large_as_its_lines() {
        let mut headers = HeaderMap::new();
        headers.append("a", HeaderValue::from_static("bc"));
        assert_eq!(size(&headers), "a: bc\r\n".len());
    }
}
