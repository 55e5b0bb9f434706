//! The line that a person types beside a connection, made in this one place: wherever it is typed, it asks the cluster that
//! the connection asks.

use std::sync::Arc;

/// What kubectl is told to go where a connection goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Kubectl {
    /// The file that a runbook names; without one, it is found as this tool found it.
    pub(super) kubeconfig: Option<Arc<str>>,
    /// None in a pod, which has no contexts.
    pub(super) context: Option<Arc<str>>,
}

impl Kubectl {
    /// `kubectl --context prod get nodes`
    pub(super) fn line(&self, asks: &str) -> String {
        let options = [("--kubeconfig", &self.kubeconfig), ("--context", &self.context)];
        let said = options.iter().filter_map(|(option, value)| Some(format!("{option} {} ", word(value.as_deref()?))));
        format!("kubectl {}{asks}", said.collect::<String>())
    }

    /// The same of what is in a namespace.
    pub(super) fn line_in(&self, namespace: &str, asks: &str) -> String {
        self.line(&format!("{asks} -n {namespace}"))
    }

    /// With the credentials of another context of the same file.
    pub(super) fn by(&self, context: &str) -> Self {
        Self { context: Some(context.into()), ..self.clone() }
    }
}

/// One word of a shell.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::Kubectl;

    #[test]
    fn a_line_leads_where_the_connection_leads() {
        let own = Kubectl { kubeconfig: None, context: Some("prod".into()) };
        assert_eq!(own.line_in("shop", "get pods"), "kubectl --context prod get pods -n shop");
        assert_eq!(own.by("it's mine").line("get nodes"), r"kubectl --context 'it'\''s mine' get nodes");
        let file = Kubectl { kubeconfig: Some("/srv/a b/kube".into()), ..own };
        assert_eq!(file.line("get nodes"), "kubectl --kubeconfig '/srv/a b/kube' --context prod get nodes");
        assert_eq!(Kubectl::default().line("get nodes"), "kubectl get nodes");
    }
}
