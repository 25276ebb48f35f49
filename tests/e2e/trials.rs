//! What is tried, each in a namespace of its own.

mod agreement;
mod allowances;
mod approvals;
mod attacks;
mod audit_log;
mod audit_service;
mod auditing;
mod autoscaling;
mod capped;
mod certificates;
mod chart;
mod commands;
mod configuration;
mod creation;
mod doctor;
mod doors;
mod evidence;
mod explaining;
mod fallback;
mod installing;
mod missed_fixes;
mod namespaces;
mod node;
mod node_labs;
mod node_restarts;
mod operating;
mod outage;
mod policies;
mod probes;
mod replaying;
mod resizes;
mod restart_all;
mod restarting;
mod restarts;
mod scope;
mod shapes;
mod stopping;
mod what_it_has;
mod workloads;

use libtest_mimic::Trial;

/// Every trial.
pub(crate) fn all() -> Vec<Trial> {
    [
        creation::trials(),
        capped::trials(),
        workloads::trials(),
        what_it_has::trials(),
        resizes::trials(),
        restarts::trials(),
        approvals::trials(),
        allowances::trials(),
        attacks::trials(),
        doors::trials(),
        namespaces::trials(),
        outage::trials(),
        policies::trials(),
        missed_fixes::trials(),
        audit_log::trials(),
        audit_service::trials(),
        auditing::trials(),
        replaying::trials(),
        scope::trials(),
        evidence::trials(),
        stopping::trials(),
        certificates::trials(),
        installing::trials(),
        explaining::trials(),
        operating::trials(),
        probes::trials(),
        node::trials(),
        node_labs::trials(),
        restarting::trials(),
        node_restarts::trials(),
        doctor::trials(),
        fallback::trials(),
        restart_all::trials(),
        autoscaling::trials(),
        agreement::trials(),
        chart::trials(),
        commands::trials(),
        configuration::trials(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A trial that fails by panicking.
fn trial(name: impl Into<String>, run: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, || {
        run();
        Ok(())
    })
}
