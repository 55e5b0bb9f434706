//! `host.listeners`

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;

use super::{proc, processes};
use crate::builtins::{blocking, files};
use crate::catalog::need::Need;
use crate::catalog::{Body, Builtin, EffectRule, Example, Returns};
use crate::types::{EnumType, Fault, FaultKind, Type, Typed, Word, Words, records};

/// What a listener speaks.
#[derive(Clone, Debug)]
pub struct Protocol;

impl Words for Protocol {
    const ENUM: &'static EnumType = &EnumType { name: "protocol", values: &["tcp", "udp"], open: false };
}

records! {
    /// A socket that takes what comes.
    struct Listener "listener" {
        /// What it speaks.
        protocol: Word<Protocol>,
        /// The address it listens at; `0.0.0.0` and `::` are all of the machine's.
        address: Arc<str>,
        /// Its port.
        port: i64,
        /// The process that holds it, the first of several; missing where the kernel itself does.
        pid: Result<Option<i64>, Fault>,
        /// The name of that process.
        process: Result<Option<Arc<str>>, Fault>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "host.listeners",
    summary: "The TCP and UDP sockets of this machine that listen.",
    params: &[],
    returns: Returns::Type(|| Type::list(Listener::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, _| blocking::run(listeners)),
    needs: &[Need::Words("root, for the processes of other users")],
    by_hand: "ss -lntup",
    examples: &[
        Example::call("host.listeners() | any(.port == 5432)"),
        Example::call(r#"host.listeners() | where(.address in ["0.0.0.0", "::"])"#),
    ],
};

fn listeners() -> Result<Vec<Listener>, Fault> {
    let mut sockets = Vec::new();
    for (protocol, path) in
        [("tcp", "/proc/net/tcp"), ("tcp", "/proc/net/tcp6"), ("udp", "/proc/net/udp"), ("udp", "/proc/net/udp6")]
    {
        match proc::read(path) {
            Ok(text) => sockets.extend(parse(protocol, &text).ok_or_else(|| proc::unexpected(path))?),
            // A machine without IPv6 has no such file.
            Err(fault) if fault.kind == FaultKind::NotFound && path.ends_with('6') => {}
            Err(fault) => return Err(fault),
        }
    }
    let holders = Holders::read()?;
    Ok(sockets.iter().map(|socket| holders.listener(socket)).collect())
}

struct Socket {
    protocol: &'static str,
    address: IpAddr,
    port: u16,
    inode: u64,
}

/// `  sl  local_address rem_address   st …`: the addresses are hexadecimal words in the machine's order of bytes.
fn parse(protocol: &'static str, text: &str) -> Option<Vec<Socket>> {
    let mut sockets = Vec::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // 0A is LISTEN. A UDP socket that takes from anybody is 07 and has no other side.
        let listens = match protocol {
            "tcp" => *fields.get(3)? == "0A",
            _ => *fields.get(3)? == "07" && fields.get(2)?.ends_with(":0000"),
        };
        if listens {
            let (address, port) = fields.get(1)?.split_once(':')?;
            sockets.push(Socket {
                protocol,
                address: self::address(address)?,
                port: u16::from_str_radix(port, 16).ok()?,
                inode: fields.get(9)?.parse().ok()?,
            });
        }
    }
    Some(sockets)
}

fn address(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(hex.get(at * 8..at * 8 + 8)?, 16).ok().map(u32::to_ne_bytes);
    match hex.len() {
        8 => word(0).map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes))),
        32 => {
            let words = [word(0)?, word(1)?, word(2)?, word(3)?].concat();
            <[u8; 16]>::try_from(words).ok().map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes)))
        }
        _ => None,
    }
}

/// Which process holds which socket.
struct Holders {
    processes: HashMap<u64, (i64, Arc<str>)>,
    /// Why some processes could not be looked at.
    hidden: Option<Fault>,
}

impl Holders {
    fn read() -> Result<Self, Fault> {
        let mut holders = Self { processes: HashMap::new(), hidden: processes::all_seen().err() };
        for pid in processes::numbers()? {
            match inodes(pid) {
                Ok(inodes) if inodes.is_empty() => {}
                Ok(inodes) => {
                    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
                    let holder = (pid, Arc::from(name.trim_end()));
                    for inode in inodes {
                        holders.processes.entry(inode).or_insert_with(|| holder.clone());
                    }
                }
                Err(fault) if fault.kind == FaultKind::NotFound => {}
                Err(fault) => {
                    holders.hidden.get_or_insert(fault);
                }
            }
        }
        Ok(holders)
    }

    fn listener(&self, socket: &Socket) -> Listener {
        let holder = match (self.processes.get(&socket.inode), &self.hidden) {
            (Some(holder), _) => Ok(Some(holder.clone())),
            (None, Some(fault)) => Err(fault.clone()),
            (None, None) => Ok(None),
        };
        Listener {
            protocol: Word::new(socket.protocol),
            address: socket.address.to_string().into(),
            port: i64::from(socket.port),
            pid: holder.clone().map(|holder| holder.map(|(pid, _)| pid)),
            process: holder.map(|holder| holder.map(|(_, name)| name)),
        }
    }
}

/// The sockets that a process has open.
fn inodes(pid: i64) -> Result<Vec<u64>, Fault> {
    let folder = format!("/proc/{pid}/fd");
    let entries = std::fs::read_dir(&folder).map_err(|error| files::fault("list", Path::new(&folder), &error))?;
    let socket = |entry: std::io::Result<std::fs::DirEntry>| {
        // A file that was closed meanwhile is no socket any more.
        let link = std::fs::read_link(entry.ok()?.path()).ok()?;
        link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    };
    Ok(entries.filter_map(socket).collect())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    #[cfg(target_endian = "little")]
    fn reads_the_kernels_table() {
        let text = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 x\n   \
            1: 0100007F:1538 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 x\n";
        let sockets = parse("tcp", text).unwrap();
        assert_eq!(sockets.len(), 1);
        assert_eq!(
            (sockets[0].address.to_string().as_str(), sockets[0].port, sockets[0].inode),
            ("127.0.0.1", 5432, 4711)
        );
        let six = "sl\n 0: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 07 0:0 0:0 0 0 0 9 2 x\n";
        let sockets = parse("udp", six).unwrap();
        assert_eq!((sockets[0].address.to_string().as_str(), sockets[0].port), ("::1", 53));
        assert!(parse("tcp", "sl\n 0: zz\n").is_none());
    }
}
