//! `pod.by_exec`: the way to a pod's ports where only `exec` is allowed, by a program of its container.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::BoxFuture;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::AttachedProcess;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::exec::session::{Limits, Place, Purpose, exit_code};
use super::of_pod::{self, POD};
use crate::builtins::dial::way::{Carried, Carrier, Stream};
use crate::builtins::dial::{Progress, Trouble};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Connection, Fault, FaultKind, Value};

const CONTAINER: Param<Option<String>> = Param::optional("container", "The container, where the pod has several.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "pod.by_exec",
    summary: "The same pod, to whose ports `nc`, `socat` or `bash` of its container leads: for clusters that allow `exec` and no port-forward.",
    params: &[POD.info(), CONTAINER.info()],
    returns: Returns::Computed { shape: "pod", compute: |inputs| Ok(inputs.of(POD.name())) },
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(async move { by_exec(&args) })),
    needs: &[
        Need::verbs(&["get", "create"], "pods/exec").named("pod").carrying(),
        Need::Words("`nc`, `socat` or `bash` in the container"),
    ],
    by_hand: "kubectl {connection} exec -i [-n {namespace}] [-c {container}] {pod} -- nc 127.0.0.1 PORT",
    examples: &[Example::call(r#"connect qdrant = http(through: cluster.pod("qdrant-0").by_exec(), port: 6333)"#)],
};

fn by_exec(args: &Args<'static>) -> Result<Value, Fault> {
    let place = Place { container: args.get(&CONTAINER)?, ..of_pod::place(args)? };
    let pod = args.get(&POD)?;
    let (Value::Record(fields), Some(way)) = (&pod, pod.connection()) else {
        return Err(Fault::new(FaultKind::Setup, "this pod was not read from a cluster"));
    };
    let carrier: Arc<dyn Carrier> = Arc::new(ExecPlace { place, program: OnceCell::new() });
    let way = Value::Connection(Arc::new(Connection {
        name: way.name.clone(),
        driver: way.driver.clone(),
        target: way.target.clone(),
        handle: Arc::new(Carried(carrier)),
    }));
    let same = |value: &Value| if matches!(value, Value::Connection(_)) { way.clone() } else { value.clone() };
    Ok(Value::record(fields.iter().map(|(name, value)| (Arc::clone(name), same(value)))))
}

/// A pod that is reached by a program of its container.
pub(super) struct ExecPlace {
    pub(super) place: Place,
    /// Which of them it has: it is looked for once.
    program: OnceCell<Program>,
}

/// What carries bytes from its standard input to a port, and back.
#[derive(Clone, Copy, Debug)]
enum Program {
    Nc,
    Socat,
    Bash,
}

impl Program {
    const ALL: &'static [Self] = &[Self::Nc, Self::Socat, Self::Bash];

    const fn name(self) -> &'static str {
        match self {
            Self::Nc => "nc",
            Self::Socat => "socat",
            Self::Bash => "bash",
        }
    }

    /// What shows that it is there and does nothing else.
    fn probe(self) -> Vec<String> {
        let flag = match self {
            Self::Nc => "-h",
            Self::Socat => "-V",
            Self::Bash => "--version",
        };
        vec![self.name().to_owned(), flag.to_owned()]
    }

    fn words(self, port: u16) -> Vec<String> {
        match self {
            Self::Nc => vec!["nc".to_owned(), "127.0.0.1".to_owned(), port.to_string()],
            Self::Socat => vec!["socat".to_owned(), "-".to_owned(), format!("TCP:127.0.0.1:{port}")],
            Self::Bash => {
                let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port} || exit 1; cat <&3 & cat >&3; wait");
                vec!["bash".to_owned(), "-c".to_owned(), script]
            }
        }
    }
}

impl Carrier for ExecPlace {
    fn host(&self) -> &str {
        &self.place.pod
    }

    fn shown(&self) -> String {
        format!("exec in pod {} of {}", self.place.pod, self.place.namespace)
    }

    fn carry<'a>(&'a self, port: u16, progress: &'a Progress) -> BoxFuture<'a, Result<Box<dyn Stream>, Trouble>> {
        Box::pin(async move {
            let program = *self.program.get_or_try_init(|| self.find(progress)).await?;
            let name = format!("{}:{port}", self.place.pod);
            progress.now(format!("starting `{}` in {} for port {port}", program.name(), self.place.pod));
            let process = self.place.start(&program.words(port), true, Purpose::Look).await.map_err(ours)?;
            Executed::new(name, process).map(|stream| Box::new(stream) as Box<dyn Stream>)
        })
    }
}

impl ExecPlace {
    async fn find(&self, progress: &Progress) -> Result<Program, Trouble> {
        const WITHIN: Duration = Duration::from_secs(10);
        for program in Program::ALL {
            progress.now(format!("looking for `{}` in {}", program.name(), self.place.pod));
            let limits = Limits { within: WITHIN, at_most: 1 << 20 };
            match self.place.run(&program.probe(), Purpose::Look, limits).await {
                // One that ends in an error is there, too: `nc -h` of some does. A shell's word for none is 127.
                Ok(output) if !matches!(output.exit_code, 126 | 127) => return Ok(*program),
                Ok(_) => {}
                Err(fault)
                    if matches!(fault.kind, FaultKind::NotFound | FaultKind::Denied)
                        && fault.message.contains(program.name()) => {}
                Err(fault) => return Err(ours(Fault { sent: false, ..fault })),
            }
        }
        let message = format!("the container of pod {} has none of `nc`, `socat` and `bash`", self.place.pod);
        Err(Trouble::ours(FaultKind::Unsupported, message)
            .help("name another `container:` of it, or allow a port-forward: create pods/portforward"))
    }
}

/// The cluster refused the command: nothing is known of the port.
fn ours(fault: Fault) -> Trouble {
    Trouble { fault, ours: true }
}

/// A process as a stream.
struct Executed {
    name: String,
    stdin: Box<dyn AsyncWrite + Send + Unpin>,
    stdout: Box<dyn AsyncRead + Send + Unpin>,
    stderr: Option<Box<dyn AsyncRead + Send + Unpin>>,
    status: Option<BoxFuture<'static, Option<Status>>>,
    ending: Option<BoxFuture<'static, io::Error>>,
    /// Whether anything has come: a program that fails after that says nothing of the port.
    any: bool,
    /// Dropped with the stream, and the program with it.
    _process: AttachedProcess,
}

impl Executed {
    fn new(name: String, mut process: AttachedProcess) -> Result<Self, Trouble> {
        let status = process.take_status();
        let parts = (status, process.stdin(), process.stdout(), process.stderr());
        let (Some(status), Some(stdin), Some(stdout), Some(stderr)) = parts else {
            return Err(Trouble::ours(FaultKind::Failed, format!("{name}: the program's streams were not attached")));
        };
        Ok(Self {
            name,
            stdin: Box::new(stdin),
            stdout: Box::new(stdout),
            stderr: Some(Box::new(stderr)),
            status: Some(Box::pin(status)),
            ending: None,
            any: false,
            _process: process,
        })
    }

    /// Why the program ended in failure.
    fn failing(&mut self, status: Option<Status>) -> BoxFuture<'static, io::Error> {
        let (name, any) = (self.name.clone(), self.any);
        let stderr = self.stderr.take();
        Box::pin(async move {
            let Some(status) = status else {
                return io::Error::new(io::ErrorKind::ConnectionReset, format!("{name}: the stream broke off"));
            };
            let mut said = Vec::new();
            if let Some(stderr) = stderr {
                const MOST: u64 = 4 << 10;
                let read = timeout(Duration::from_secs(1), stderr.take(MOST).read_to_end(&mut said)).await;
                tracing::debug!(?read, "what the program said of its end");
            }
            let said = String::from_utf8_lossy(&said);
            let said: String = said.trim().chars().filter(|c| !c.is_control()).take(300).collect();
            let why = if said.is_empty() { status.message.unwrap_or_default() } else { said };
            let kind = if any { io::ErrorKind::ConnectionReset } else { io::ErrorKind::ConnectionRefused };
            io::Error::new(kind, format!("nothing leads to {name} by exec: {why}"))
        })
    }
}

impl AsyncRead for Executed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let this = &mut *self;
            if let Some(ending) = &mut this.ending {
                let error = ready!(ending.as_mut().poll(cx));
                this.ending = None;
                return Poll::Ready(Err(error));
            }
            let before = into.filled().len();
            let read = Pin::new(&mut this.stdout).poll_read(cx, into);
            let came = into.filled().len() > before;
            this.any |= came;
            if came || matches!(read, Poll::Ready(Err(_))) {
                return read;
            }
            // Where the stream breaks off, nobody ends the output: the status says it.
            let status = match &mut this.status {
                None => return read,
                Some(status) => match status.as_mut().poll(cx) {
                    Poll::Pending => return read,
                    Poll::Ready(status) => status,
                },
            };
            this.status = None;
            match status {
                Some(status) if exit_code(&status) == Some(0) => return read,
                status => this.ending = Some(this.failing(status)),
            }
        }
    }
}

impl AsyncWrite for Executed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stdin).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdin).poll_flush(cx)
    }

    /// The end of the input would end `nc` before the answer is there, and with the older protocol the whole stream.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}
