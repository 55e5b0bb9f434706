//! A catalogue for checks: the real one, and in it the signatures of Kubernetes, `PostgreSQL` and Redis, which answer nothing.

use std::sync::LazyLock;

use runbook::builtins;
use runbook::catalog::{
    Accepts, Body, Builtin, Catalog, Driver, DriverKind, EffectRule, Landing, Open, ParamInfo, Presence, Returns,
};
use runbook::types::{EnumType, Field, Line, RecordType, Type, Typed};

/// The catalogue.
pub(crate) fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
        let real = builtins::catalog();
        let builtins: Vec<&'static Builtin> = real.builtins().chain(BUILTINS.iter()).collect();
        let drivers: Vec<&'static Driver> = real.drivers().chain(DRIVERS.iter()).collect();
        Catalog::new(&builtins, &drivers)
    });
    &CATALOG
}

const ELSEWHERE: &str = "the servers of this test";

static PHASE: EnumType = EnumType {
    name: "pod_status",
    values: &["Pending", "Running", "Succeeded", "Completed", "Failed", "CrashLoopBackOff"],
    open: false,
};
static REASON: EnumType = EnumType { name: "event_reason", values: &["BackOff", "Killing", "Scheduled"], open: true };

fn record(name: &str, fields: &[(&str, Type)]) -> Type {
    let fields = fields.iter().map(|(name, ty)| ((*name).into(), Field { ty: ty.clone(), doc: "".into() })).collect();
    Type::Record(RecordType { name: Some(name.into()), fields }.into())
}

fn pod() -> Type {
    record(
        "pod",
        &[
            ("name", Type::String),
            ("status", Type::Enum(&PHASE)),
            ("ready", Type::Bool),
            ("restarts", Type::Int),
            ("node", Type::String.optional()),
            ("started", Type::Time),
            ("containers", Type::list(record("container", &[("name", Type::String), ("restarts", Type::Int)]))),
        ],
    )
}

fn node() -> Type {
    record("node", &[("name", Type::String), ("cpu_share", Type::Percent), ("memory_share", Type::Percent)])
}

fn usage() -> Type {
    record("usage", &[("pod", Type::String), ("cpu", Type::Cores), ("memory", Type::Size)])
}

fn mount() -> Type {
    record(
        "mount",
        &[("mount", Type::String), ("used", Type::Size), ("size", Type::Size), ("used_share", Type::Percent)],
    )
}

fn event() -> Type {
    record(
        "event",
        &[
            ("type", Type::String),
            ("reason", Type::Enum(&REASON)),
            ("message", Type::String),
            ("last_seen", Type::Time),
        ],
    )
}

const fn param(name: &'static str, accepts: Accepts, presence: Presence) -> ParamInfo {
    ParamInfo { name, doc: "What it is.", accepts, presence }
}

const fn on(driver: &'static str) -> ParamInfo {
    param("connection", Accepts::Connection(driver), Presence::Required)
}

const fn string(name: &'static str, presence: Presence) -> ParamInfo {
    param(name, Accepts::Type(|| Type::String), presence)
}

const fn builtin(
    name: &'static str,
    params: &'static [ParamInfo],
    returns: fn() -> Type,
    effect: EffectRule,
) -> Builtin {
    Builtin {
        name,
        summary: "For a test.",
        params,
        returns: Returns::Type(returns),
        effect,
        body: Body::Later(ELSEWHERE),
        needs: &[],
        by_hand: "",
        examples: &[],
    }
}

const fn connection(name: &'static str, params: &'static [ParamInfo]) -> Driver {
    Driver {
        name,
        kind: DriverKind::Connection,
        summary: "For a test.",
        params,
        open: Open::Later(ELSEWHERE),
        examples: &[],
    }
}

const READS: EffectRule = EffectRule::Reads;
const CHANGES: EffectRule = EffectRule::Changes { idempotent: false };
const OPTIONAL: Presence = Presence::Optional;
const REQUIRED: Presence = Presence::Required;

const THROUGH: ParamInfo = param("through", Accepts::Anything, OPTIONAL);
const SQL: ParamInfo = param("sql", Accepts::Literal(Landing::Sql), REQUIRED);

static DRIVERS: &[Driver] = &[connection(
    "postgres",
    &[
        THROUGH,
        string("user", OPTIONAL),
        string("database", OPTIONAL),
        param("password", Accepts::Type(|| Type::Secret), OPTIONAL),
    ],
)];

const K8S: ParamInfo = on("kubernetes");
const POSTGRES: ParamInfo = on("postgres");
const POD: ParamInfo = param("pod", Accepts::Type(pod), REQUIRED);
const NODE: ParamInfo = param("node", Accepts::Type(node), REQUIRED);

static BUILTINS: &[Builtin] = &[
    builtin("kubernetes.pods", &[K8S], || Type::list(pod()), READS),
    builtin("kubernetes.pod", &[K8S, string("name", REQUIRED)], pod, READS),
    builtin("kubernetes.service", &[K8S, string("name", REQUIRED)], || Type::Data, READS),
    builtin("kubernetes.services", &[K8S], || Type::list(Type::Data), READS),
    builtin("kubernetes.ingresses", &[K8S], || Type::list(Type::Data), READS),
    builtin("kubernetes.nodes", &[K8S], || Type::list(node()), READS),
    builtin("kubernetes.pod_usage", &[K8S], || Type::list(usage()), READS),
    builtin("kubernetes.node_usage", &[K8S], || Type::list(usage()), READS),
    builtin("kubernetes.events", &[K8S], || Type::list(event()), READS),
    builtin("kubernetes.resources", &[K8S, string("kind", REQUIRED)], || Type::list(Type::Data), READS),
    builtin(
        "kubernetes.logs",
        &[K8S, string("deployment", REQUIRED), param("since", Accepts::Type(|| Type::Duration), REQUIRED)],
        || Type::list(Line::ty()),
        READS,
    ),
    builtin("kubernetes.drain", &[K8S, NODE], || Type::Null, CHANGES),
    builtin("kubernetes.cordon", &[K8S, NODE], || Type::Null, EffectRule::Changes { idempotent: true }),
    builtin("kubernetes.uncordon", &[K8S, NODE], || Type::Null, EffectRule::Changes { idempotent: true }),
    builtin("pod.disk", &[POD, string("path", REQUIRED)], mount, READS),
    builtin("pod.disks", &[POD], || Type::list(mount()), READS),
    builtin("postgres.answers", &[POSTGRES], || Type::Bool, READS),
    builtin("postgres.size", &[POSTGRES], || Type::Size, READS),
    builtin("postgres.query", &[POSTGRES, SQL], || Type::list(Type::Data), READS),
    builtin("postgres.execute", &[POSTGRES, SQL], || Type::Int, CHANGES),
    builtin(
        "postgres.long_running",
        &[POSTGRES, param("over", Accepts::Type(|| Type::Duration), REQUIRED)],
        || Type::list(record("activity", &[("pid", Type::Int), ("query", Type::String)])),
        READS,
    ),
];
