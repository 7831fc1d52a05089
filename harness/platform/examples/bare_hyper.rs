//! A bare hyper server that answers each request with the same 27 bytes: the baseline for the
//! gateway's speed. Usage: `bare_hyper current|multi [ADDRESS]`.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

async fn hello(_request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response =
        Response::new(Full::new(Bytes::from_static(br#"{"message":"Hello, World!"}"#)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

async fn serve(address: SocketAddr) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            // An error means that the client has left.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(hello))
                .await;
        });
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let runtime = args.next().unwrap_or_else(|| "current".to_owned());
    let address = args.next().unwrap_or_else(|| "127.0.0.1:0".to_owned()).parse()?;
    let runtime = match runtime.as_str() {
        "current" => Builder::new_current_thread().enable_all().build()?,
        "multi" => Builder::new_multi_thread().worker_threads(2).enable_all().build()?,
        other => return Err(format!("unknown runtime `{other}`: use `current` or `multi`").into()),
    };
    Ok(runtime.block_on(serve(address))?)
}
