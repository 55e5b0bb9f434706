//! `channel email = email(to: ["ops@example.com"])`

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use lettre::Address;
use lettre::message::Mailbox;
use lettre::transport::smtp::extension::ClientId;

use super::smtp::{Delivered, Refusal, Server, Tls};
use super::template::{self, Template};
use super::{AT_MOST, CA, at_most, letter, wording};
use crate::builtins::dial::Place;
use crate::builtins::dial::gate::Gate;
use crate::builtins::settings::{limit, setup};
use crate::catalog::need::{Argument, Endpoint, Written};
use crate::catalog::{
    Accepts, Again, Args, ByHand, Channel, Cx, Driver, DriverKind, Example, Judge, Message, NotTold, Open, Param,
    Presence, Told,
};
use crate::types::{Fault, FaultKind, SecretText, Value};

const TO: Param<Vec<String>> =
    Param::required("to", "Who gets it.").judged(Judge::Texts(|texts| addresses(texts.iter().copied()).map(drop)));
const FROM: Param<Option<String>> = Param::optional("from", "Who it is from; this machine's user otherwise.")
    .judged(Judge::Text(|text, _| mailbox(text, "from").map(drop)));
const SERVER: Param<Option<String>> =
    Param::optional("server", "The mail server, such as `smtp.example.com:587`; this machine's own otherwise.")
        .judged(Judge::Text(|text, _| place(text, 25).map(drop)));
const USER: Param<Option<String>> = Param::optional("user", "The user to log in to the mail server as.");
const PASSWORD: Param<Option<SecretText>> = Param::optional("password", "The password of that user.");
const TLS: Param<Option<String>> = Param::new(
    "tls",
    "How the way to the server is sealed: `starttls` begins in the clear (port 587), `tls` does not (port 465). `none` is what a server on this machine gets unless something else is said, and no other.",
    Accepts::Word(&["starttls", "tls", "none"]),
    Presence::Optional,
);
const TEMPLATE: Param<Option<String>> = template::param(template::judge_mail);
const WITHIN: Param<SignedDuration> = Param::or("within", "How long the mail server may take, all in all.", || {
    Value::Duration(SignedDuration::from_secs(30))
})
.judged(Judge::Value(super::some_time));

pub(super) static DRIVER: Driver = Driver {
    name: "email",
    kind: DriverKind::Channel { person: true, policy: None },
    summary: "Mail.",
    params: &[
        TO.info(),
        FROM.info(),
        SERVER.info(),
        USER.info(),
        PASSWORD.info(),
        TLS.info(),
        TEMPLATE.info(),
        AT_MOST.info(),
        CA.info(),
        WITHIN.info(),
    ],
    open: Open::Channel(|cx, args| Box::pin(async move { open(&cx, &args) })),
    needs: &[],
    reaches,
    by_hand: ByHand::NONE,
    examples: &[
        Example::call(r#"channel email = email(to: ["ops@example.com"])"#),
        Example::call(
            r#"channel email = email(to: ["ops@example.com"], from: "Runbook <runbook@example.com>", server: "smtp.example.com", user: "runbook", password: smtp_password)"#,
        ),
    ],
};

/// How many messages are remembered that only some addresses have got.
const REMEMBERED: usize = 64;

fn open(cx: &Cx, args: &Args<'static>) -> Result<Arc<dyn Channel>, Fault> {
    let to = args.get(&TO)?;
    let to = addresses(to.iter().map(String::as_str))?;
    let email = Email {
        to,
        from: from(cx, args.get(&FROM)?)?,
        server: server(cx, args)?,
        template: Template::of(cx, args, &TEMPLATE, None)?,
        told: Mutex::default(),
        at_most: at_most(args.get(&AT_MOST)?)?,
    };
    Ok(Arc::new(Opened(Arc::new(email))))
}

/// Who gets it: somebody.
fn addresses<'t>(texts: impl Iterator<Item = &'t str>) -> Result<Vec<Mailbox>, Fault> {
    let to = texts.map(|text| mailbox(text, "to")).collect::<Result<Vec<_>, _>>()?;
    if to.is_empty() { Err(setup("`to` names nobody")) } else { Ok(to) }
}

/// An address as it is written. One with a line break in it would write headers of its own.
fn mailbox(text: &str, param: &str) -> Result<Mailbox, Fault> {
    let shown = wording::one_line(text);
    if text.contains(char::is_control) {
        return Err(setup(format!("`{param}`: \"{shown}\" has a character in it that ends a line of a mail")));
    }
    text.trim().parse().map_err(|error| {
        setup(format!("`{param}`: \"{shown}\" is no address: {error}"))
            .help("an address is written `ops@example.com`, or `Ops <ops@example.com>`")
    })
}

fn from(cx: &Cx, given: Option<String>) -> Result<Mailbox, Fault> {
    if let Some(text) = given {
        return mailbox(&text, "from");
    }
    let user = match cx.world.env("USER")? {
        Some(user) => Some(user),
        None => cx.world.env("LOGNAME")?,
    };
    let uname = rustix::system::uname();
    let own = format!("{}@{}", user.as_deref().unwrap_or("runbook"), uname.nodename().to_string_lossy());
    own.parse().map_err(|_| {
        setup(format!("`{own}` is no address that a mail could be from"))
            .help("say who it is from: `from: \"runbook@example.com\"`")
    })
}

fn reaches(written: &Written<'_>) -> Vec<Endpoint> {
    let tls = match (written.argument)(TLS.name()) {
        Argument::Texts(words) if words == ["tls"] => Tls::FromTheStart,
        _ => Tls::Upgraded,
    };
    let servers = (written.argument)(SERVER.name());
    let of = |text: &String| match Place::parse(text, tls.port(is_this_machine(text))) {
        Some(place) => Endpoint { port: Some(place.port), host: place.host },
        None => Endpoint { host: "a mail server that the run will tell".to_owned(), port: None },
    };
    servers.patterns().iter().map(of).collect()
}

fn server(cx: &Cx, args: &Args<'static>) -> Result<Server, Fault> {
    let text = args.get(&SERVER)?;
    let text = text.as_deref().unwrap_or("localhost").trim();
    let host = place(text, 25)?.host;
    let here = is_this_machine(&host);
    let tls = match (args.get(&TLS)?.as_deref(), here) {
        (Some("tls"), _) => Tls::FromTheStart,
        (Some("none"), _) | (None, true) => Tls::None,
        (Some(_), _) | (None, false) => Tls::Upgraded,
    };
    let place = self::place(text, tls.port(here))?;
    let login = match (args.get(&USER)?, args.get(&PASSWORD)?) {
        (Some(user), Some(password)) => Some((user, password)),
        (None, None) => None,
        (Some(_), None) => return Err(setup("there is a `user` and no `password`")),
        (None, Some(_)) => return Err(setup("there is a `password` and no `user`")),
    };
    if login.is_some() && tls == Tls::None && !here {
        return Err(setup(format!("the password would go to {place} in the clear"))
            .help("leave out `tls: \"none\"`, or `user` and `password`"));
    }
    let authorities = args.get(&CA)?.map(|path| cx.world.file(path.as_ref()).map(|pem| (path, pem))).transpose()?;
    let hello = ClientId::Domain(rustix::system::uname().nodename().to_string_lossy().into_owned());
    let gate = Gate::of(cx);
    gate.pass(&place.host)?;
    Ok(Server { gate, place, tls, authorities, login, hello, within: limit(args.get(&WITHIN)?)? })
}

fn place(text: &str, port: u16) -> Result<Place, Fault> {
    Place::parse(text.trim(), port).ok_or_else(|| {
        setup(format!("`server`: \"{}\" is no server", wording::one_line(text)))
            .help("it is written `smtp.example.com`, or with a port: `smtp.example.com:587`")
    })
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

struct Opened(Arc<Email>);

struct Email {
    to: Vec<Mailbox>,
    from: Mailbox,
    server: Server,
    template: Option<Template>,
    /// Who has got a message that others have not: it is not sent to them once more.
    told: Mutex<VecDeque<(Arc<str>, Vec<Address>)>>,
    at_most: usize,
}

impl Channel for Opened {
    fn at_most(&self) -> Option<usize> {
        Some(self.0.at_most)
    }

    fn tell(&self, cx: Cx, message: Arc<Message>) -> BoxFuture<'static, Result<Told, NotTold>> {
        let email = Arc::clone(&self.0);
        Box::pin(async move { email.tell(&cx, &message).await })
    }

    fn target(&self) -> String {
        let Email { to, server, .. } = &*self.0;
        match to.as_slice() {
            [one] => format!("{} by {}", one.email, server.place.host),
            several => format!("{} addresses by {}", several.len(), server.place.host),
        }
    }
}

impl Email {
    async fn tell(&self, cx: &Cx, message: &Message) -> Result<Told, NotTold> {
        let to = self.to_all(message);
        let (mail, remark) = letter::of(&self.from, &to, message, self.template.as_ref(), cx.world.now())
            .map_err(|fault| NotTold { fault, again: Again::Never })?;
        let had = self.had(&message.key);
        let all = to.len();
        let to: Vec<Address> =
            to.iter().map(|one| one.email.clone()).filter(|address| !had.contains(address)).collect();
        let Delivered { said, refused } = self.server.deliver(&self.from.email, &to, &mail).await?;
        if refused.is_empty() {
            self.forget(&message.key);
            return Ok(Told { said: remark.map_or(said.clone(), |remark| format!("{said}. {remark}")) });
        }
        let accepted = to.iter().filter(|address| !refused.iter().any(|one| one.address == **address));
        let had: Vec<Address> = had.iter().chain(accepted).cloned().collect();
        let not_told = self.partly(had.len(), all, &refused);
        self.remember(&message.key, had);
        Err(not_told)
    }

    /// Those of the declaration, and who is told by name.
    fn to_all(&self, message: &Message) -> Vec<Mailbox> {
        let mut to = self.to.clone();
        for person in message.people() {
            // `check` has looked at the address; one that is none all the same keeps nothing from the others.
            if let Some(Ok(address)) = person.email.as_ref().map(|email| email.parse::<Address>())
                && !to.iter().any(|one| one.email == address)
            {
                to.push(Mailbox::new(Some(person.name.to_string()), address));
            }
        }
        to
    }

    /// Some have got it, and some have not: the fault names them, and those that have got it don't get it again.
    fn partly(&self, told: usize, of: usize, refused: &[Refusal]) -> NotTold {
        let who = Refusal::all(refused);
        let message = format!("{told} of {of} addresses were told; {} refuses {who}", self.server.place);
        let again = if refused.iter().any(|one| one.passes) { Again::Later } else { Again::Never };
        NotTold { fault: Fault::new(FaultKind::Failed, message).sent(), again }
    }

    fn had(&self, key: &str) -> Vec<Address> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter().find(|(own, _)| **own == *key).map(|(_, had)| had.clone()).unwrap_or_default()
    }

    fn forget(&self, key: &str) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).retain(|(own, _)| **own != *key);
    }

    fn remember(&self, key: &Arc<str>, had: Vec<Address>) {
        self.forget(key);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.push_back((Arc::clone(key), had));
        if told.len() > REMEMBERED {
            told.pop_front();
        }
    }
}
