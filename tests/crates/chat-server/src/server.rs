//! The HTTP side: routes, the listening socket and graceful shutdown.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::registry::{OUTBOX_FRAMES, Registry};
use crate::session::{self, Heartbeat};

/// More than the longest valid frame, with every character of its text escaped.
const MAX_MESSAGE_BYTES: usize = 32 * 1024;

/// What an operator can set.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Where to listen; port 0 lets the system choose.
    pub addr: SocketAddr,
    /// How dead connections are found.
    pub heartbeat: Heartbeat,
    /// How many frames may wait for one client before it is evicted.
    pub outbox_frames: usize,
    /// How long sessions may take to end after a shutdown began.
    pub grace: Duration,
}

impl Default for Config {
    /// Listens on 127.0.0.1:8080.
    fn default() -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 8080)),
            heartbeat: Heartbeat::default(),
            outbox_frames: OUTBOX_FRAMES,
            grace: Duration::from_secs(10),
        }
    }
}

/// A server that listens already, but serves nobody before [`Server::run`].
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    local_addr: SocketAddr,
    registry: Registry,
    config: Config,
}

impl Server {
    /// Starts to listen.
    ///
    /// # Errors
    ///
    /// If the address cannot be bound.
    pub async fn bind(config: Config) -> io::Result<Self> {
        let listener = TcpListener::bind(config.addr).await?;
        let local_addr = listener.local_addr()?;
        let registry = Registry::new(config.outbox_frames);
        Ok(Self { listener, local_addr, registry, config })
    }

    /// Where the server listens; the real port if port 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The rooms and clients of this server.
    pub fn registry(&self) -> Registry {
        self.registry.clone()
    }

    /// Serves until `shutdown` resolves, then closes every session and returns.
    ///
    /// # Errors
    ///
    /// If sessions were still open when the time of grace was over.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let Self { listener, registry, config, .. } = self;
        let (begin, begun) = watch::channel(false);
        let app = router(App { registry, heartbeat: config.heartbeat, shutdown: begun.clone() });
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true); // chat frames are small and must not wait for more
        });
        let mut signal = begun.clone();
        let serving = axum::serve(listener, app).with_graceful_shutdown(async move {
            let _ = signal.wait_for(|begun| *begun).await;
        });
        let mut serving = tokio::spawn(serving.into_future());
        drop(begun);

        tokio::select! {
            ended = &mut serving => return ended?,
            () = shutdown => {}
        }
        log!(info, "shutting down");
        begin.send_replace(true);
        let all_ended = async {
            (&mut serving).await??;
            begin.closed().await; // upgraded sessions are not axum's any more; each holds a receiver
            Ok(())
        };
        let in_time = timeout(config.grace, all_ended).await;
        serving.abort();
        in_time.unwrap_or_else(|_| {
            Err(io::Error::new(io::ErrorKind::TimedOut, "sessions did not end in time"))
        })
    }
}

#[derive(Clone)]
struct App {
    registry: Registry,
    heartbeat: Heartbeat,
    shutdown: watch::Receiver<bool>,
}

fn router(app: App) -> Router {
    let routes =
        Router::new().route("/healthz", get(|| async { "ok\n" })).route("/ws", get(upgrade));
    #[cfg(feature = "metrics")]
    let routes = routes.route("/metrics", get(metrics));
    routes.with_state(app)
}

async fn upgrade(State(app): State<App>, request: WebSocketUpgrade) -> Response {
    let App { registry, heartbeat, shutdown } = app;
    let request = request.max_frame_size(MAX_MESSAGE_BYTES).max_message_size(MAX_MESSAGE_BYTES);
    request.on_upgrade(move |socket| {
        let client = registry.connect();
        session::serve(socket, client, heartbeat, shutdown)
    })
}

#[cfg(feature = "metrics")]
async fn metrics(State(app): State<App>) -> String {
    crate::metrics::render(app.registry.stats())
}
