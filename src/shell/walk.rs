//! Walks the tree in the order of the text and notes each simple command with what is known there.

use std::rc::Rc;

use super::argv::{Environment, base_name};
use super::assigned::{Assigned, Functions};
use super::effects;
use super::state::ShellState;
use super::tree::{Item, Joint, List, Node, NodeKind, Pipeline, RawWord};
use super::{CommandContext, Files, Invocation, PipeReader, Script, StatusUse};

/// How deeply constructs, functions and shells within shells may nest together.
const DEEPEST: usize = 64;

/// Work allowed per byte of text, and at least. Functions are expanded where they are called, so
/// text alone does not bound the work.
const WORK_PER_BYTE: usize = 16;
const WORK_AT_LEAST: usize = 65_536;

/// Where the walk stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Frame {
    pub(super) context: CommandContext,
    /// Whether something significant follows in any case.
    pub(super) after: bool,
    /// Whether `set -e` does not apply, because the status is tested.
    pub(super) guarded: bool,
    /// Whether `timeout` ends the shell that runs it.
    pub(super) timed: bool,
}

/// The walk itself.
#[derive(Debug)]
pub(super) struct Walker<'t> {
    pub(super) script: Script,
    pub(super) state: ShellState,
    pub(super) functions: Functions<'t>,
    pub(super) depth: usize,
    pub(super) files: Option<&'t dyn Files>,
    /// The one of them that is being walked.
    pub(super) file: Option<Rc<str>>,
    /// What is left of the work allowed; `None` once it was not enough.
    pub(super) work: Option<usize>,
    /// The most work that may ever be allowed.
    pub(super) most: usize,
}

impl<'t> Walker<'t> {
    pub(super) fn new(
        environment: Environment,
        invocation: &Invocation<'t>,
        length: usize,
        most: usize,
    ) -> Self {
        Self {
            script: Script::default(),
            state: ShellState::new(environment, invocation.directory),
            functions: Functions::new(),
            depth: 0,
            files: invocation.files,
            file: None,
            work: Some(
                length.saturating_mul(WORK_PER_BYTE).saturating_add(WORK_AT_LEAST).min(most),
            ),
            most,
        }
    }

    /// The result. `None` where the work or the depth allowed was not enough.
    pub(super) fn finish(self) -> Option<Script> {
        self.work.map(|_| self.script)
    }

    /// Allows for the work that so much more text takes.
    pub(super) fn allow(&mut self, length: usize) {
        self.work = self
            .work
            .map(|work| work.saturating_add(length.saturating_mul(WORK_PER_BYTE)).min(self.most));
    }

    pub(super) fn spend(&mut self, amount: usize) {
        self.work = self.work.and_then(|work| work.checked_sub(amount));
    }

    /// Runs a step one level deeper; gives everything up where that would be too deep.
    pub(super) fn deeper(&mut self, step: impl FnOnce(&mut Self)) {
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEEPEST {
            self.work = None;
        }
        if self.work.is_some() {
            step(self);
        }
        self.depth = self.depth.saturating_sub(1);
    }

    /// Runs a step whose effects on variables are lost afterwards.
    pub(super) fn aside(&mut self, step: impl FnOnce(&mut Self)) {
        let before = self.state.clone();
        step(self);
        self.spend(self.state.distance(&before));
        self.state = before;
    }

    pub(super) fn list(&mut self, list: &'t List, frame: &Frame) {
        let later: Vec<bool> = list
            .0
            .iter()
            .rev()
            .scan(frame.after, |after, item| {
                let now = *after;
                *after |= effects::item_significant(item, &self.functions);
                Some(now)
            })
            .collect();
        self.items(list, later.into_iter().rev(), frame);
    }

    /// The body of a loop: what stands before an item comes after it, too.
    pub(super) fn cycle(&mut self, list: &'t List, also: bool, frame: &Frame) {
        let each: Vec<bool> =
            list.0.iter().map(|item| effects::item_significant(item, &self.functions)).collect();
        let count = each
            .iter()
            .filter(|significant| **significant)
            .count()
            .saturating_add(usize::from(also));
        let others = each.into_iter().map(|own| count > usize::from(own));
        self.items(list, others.collect::<Vec<_>>().into_iter(), frame);
    }

    fn items(&mut self, list: &'t List, after: impl Iterator<Item = bool>, frame: &Frame) {
        let next = list.0.iter().skip(1).map(Some).chain([None]);
        for ((item, after), next) in list.0.iter().zip(after).zip(next) {
            let mut here = frame.clone();
            here.after = after;
            if let Some(next) = next {
                here.context.status = if effects::reads_status(next) {
                    StatusUse::Unknown
                } else {
                    StatusUse::Ignored
                };
            }
            self.spend(1);
            self.deeper(|walker| walker.item(item, here));
        }
    }

    /// What the status of a pipeline decides that nothing tests.
    fn untested(&self, frame: &Frame) -> StatusUse {
        match self.state.errexit {
            _ if frame.guarded => StatusUse::Ignored,
            Some(false) => StatusUse::Ignored,
            Some(true) if !frame.context.captured => StatusUse::Required,
            _ => StatusUse::Unknown,
        }
    }

    fn item(&mut self, item: &'t Item, mut frame: Frame) {
        if item.background {
            frame.after = false;
            frame.context.background = true;
            frame.context.status = StatusUse::Unknown;
            return self.aside(|walker| walker.chain(item, &frame));
        }
        self.chain(item, &frame);
    }

    fn chain(&mut self, item: &'t Item, frame: &Frame) {
        // For each pipeline what runs after `||` where it fails, found from the end so that it
        // takes one pass.
        let mut otherwise = vec![None; item.rest.len().saturating_add(1)];
        let mut nearest = None;
        for ((joint, pipeline), slot) in item.rest.iter().zip(otherwise.iter_mut()).rev() {
            if *joint == Joint::Or {
                nearest = Some(pipeline);
            }
            *slot = nearest;
        }
        let mut rest = item.rest.as_slice();
        let pipelines =
            std::iter::once(&item.first).chain(item.rest.iter().map(|(_, pipeline)| pipeline));
        for (position, (pipeline, otherwise)) in pipelines.zip(otherwise).enumerate() {
            let mut here = frame.clone();
            here.context.status = self.decided(rest, otherwise, frame);
            here.context.conditional |= position > 0;
            here.guarded |= !rest.is_empty();
            self.pipeline(pipeline, &here);
            rest = rest.get(1..).unwrap_or_default();
        }
        let later = item.rest.iter().map(|(_, pipeline)| pipeline);
        let assigned = later
            .fold(Assigned::default(), |all, pipeline| all.by_pipeline(pipeline, &self.functions));
        self.forget(&assigned);
    }

    /// What the status of a pipeline decides, with these after it in the same item, and the nearest
    /// after `||`.
    fn decided(
        &self,
        rest: &[(Joint, Pipeline)],
        otherwise: Option<&Pipeline>,
        frame: &Frame,
    ) -> StatusUse {
        let Some(((joint, next), rest)) = rest.split_first() else {
            return frame.context.status;
        };
        let reacts = effects::pipeline_significant(next, &self.functions);
        match joint {
            Joint::And if rest.is_empty() && effects::leaves(next) => StatusUse::Inverted,
            Joint::And => match otherwise {
                Some(other) if effects::leaves(other) => StatusUse::Required,
                Some(other) if effects::pipeline_significant(other, &self.functions) => {
                    StatusUse::Unknown
                }
                _ if !reacts
                    && rest.is_empty()
                    && (frame.after || !effects::pipeline_reports(next)) =>
                {
                    frame.context.status
                }
                _ if frame.after => StatusUse::Unknown,
                _ => StatusUse::Required,
            },
            Joint::Or if effects::leaves(next) => StatusUse::Required,
            Joint::Or if reacts && (frame.after || !rest.is_empty()) => StatusUse::Unknown,
            Joint::Or if reacts => StatusUse::Inverted,
            Joint::Or => match rest.first() {
                None | Some((Joint::And, _)) => StatusUse::Ignored,
                Some((Joint::Or, _)) => StatusUse::Unknown,
            },
        }
    }

    /// Forgets what a piece of the script may have assigned to.
    pub(super) fn forget(&mut self, assigned: &Assigned<'_>) {
        self.spend(assigned.cost);
        self.state.forget_assigned(assigned);
    }

    fn pipeline(&mut self, pipeline: &'t Pipeline, frame: &Frame) {
        let mut frame = frame.clone();
        if frame.context.status == StatusUse::Ignored && !pipeline.negated {
            frame.context.status = self.untested(&frame);
        }
        if pipeline.negated {
            frame.guarded = true;
            frame.context.status = match frame.context.status {
                StatusUse::Required => StatusUse::Inverted,
                StatusUse::Inverted => StatusUse::Required,
                other => other,
            };
        }
        if let [stage] = pipeline.stages.as_slice() {
            return self.node(stage, &frame);
        }
        let readers = pipeline.stages.iter().skip(1).map(|stage| Some(reader(stage)));
        for (stage, reader) in pipeline.stages.iter().zip(readers.chain([None])) {
            let mut here = frame.clone();
            if reader.is_some() {
                here.context.status = StatusUse::Unknown;
                here.context.reader = reader;
            }
            self.aside(|walker| walker.node(stage, &here));
        }
        let assigned = Assigned::default().by_pipeline(pipeline, &self.functions);
        self.forget(&assigned);
    }
}

impl Frame {
    /// The place of a substitution whose status decides nothing certain.
    pub(super) fn captured(&self) -> Self {
        let mut frame = self.clone();
        frame.context.captured = true;
        frame.context.status = StatusUse::Unknown;
        frame.context.reader = None;
        frame
    }

    /// The place of a script given to a shell of its own.
    pub(super) fn fresh(&self) -> Self {
        Self { guarded: false, ..self.clone() }
    }
}

fn reader(node: &Node) -> PipeReader {
    match &node.kind {
        NodeKind::Simple(simple) => match simple.words.first().and_then(RawWord::literal) {
            Some(name) => PipeReader::Program(base_name(name).to_owned()),
            None => PipeReader::Other,
        },
        NodeKind::While { .. } | NodeKind::For { .. } => PipeReader::Loop,
        _ => PipeReader::Other,
    }
}
