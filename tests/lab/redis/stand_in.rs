//! A stand-in for a server that is loading, old, silent or broken: what a real one does not do on demand.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What comes of a command.
pub(super) enum Reply {
    Say(Vec<u8>),
    /// Says it and closes.
    Last(Vec<u8>),
    Silence,
}

pub(super) fn say(text: &str) -> Reply {
    Reply::Say(text.as_bytes().to_vec())
}

/// What a server greets with.
pub(super) fn hello() -> Reply {
    say("%3\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n")
}

/// A server that answers by a function of the number of the connection and the command.
pub(super) struct StandIn {
    pub(super) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl StandIn {
    pub(super) fn start(answer: impl Fn(usize, &[String]) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (Arc::new(answer), Arc::clone(&asked));
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                std::thread::spawn(move || {
                    _ = serve(stream.unwrap(), |words: &[String]| {
                        seen.lock().unwrap().push(words.join(" "));
                        answer(number, words)
                    });
                });
            }
        });
        Self { port, asked }
    }

    /// The commands that came, of all connections.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, answer: impl Fn(&[String]) -> Reply) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        let Some(count) = number(&mut reader)? else { return Ok(()) };
        let mut words = Vec::new();
        for _ in 0..count {
            let Some(length) = number(&mut reader)? else { return Ok(()) };
            let mut word = vec![0; length + 2];
            reader.read_exact(&mut word)?;
            word.truncate(length);
            words.push(String::from_utf8_lossy(&word).into_owned());
        }
        match answer(&words) {
            Reply::Say(bytes) => writer.write_all(&bytes)?,
            Reply::Last(bytes) => {
                writer.write_all(&bytes)?;
                return writer.shutdown(std::net::Shutdown::Both);
            }
            Reply::Silence => {}
        }
    }
}

fn number(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<usize>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    Ok(line.trim().get(1..).and_then(|digits| digits.parse().ok()))
}
