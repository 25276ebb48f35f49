//! Compound commands: groups, loops, branches and functions.

use super::assigned::{Assigned, Function};
use super::effects;
use super::tree::{List, Node, NodeKind, RawWord};
use super::walk::{Frame, Walker};
use super::{Loop, LoopPart, PipeReader, StatusUse};

impl<'t> Walker<'t> {
    pub(super) fn node(&mut self, node: &'t Node, frame: &Frame) {
        self.spend(1);
        match &node.kind {
            NodeKind::Simple(simple) => return self.simple(simple, &node.redirects, frame),
            NodeKind::Group(list) => self.list(list, frame),
            NodeKind::Subshell(list) => self.aside(|walker| walker.list(list, frame)),
            NodeKind::Function { name, body } => {
                let known = match self.functions.contains_key(name.as_str()) {
                    true => None,
                    false => Some(Function::new(body, &self.functions)),
                };
                self.functions.insert(name, known);
            }
            NodeKind::Arithmetic(_) => {}
            NodeKind::While { until, condition, body } => {
                let endless =
                    if *until { effects::never(condition) } else { effects::always(condition) };
                self.repeat(node, Some((condition, *until)), body, endless, frame);
            }
            NodeKind::For { words, body, endless, .. } => {
                for word in words {
                    self.discard(word, frame, None);
                }
                self.repeat(node, None, body, *endless, frame);
            }
            NodeKind::If { branches, otherwise } => {
                self.branches(branches, otherwise, frame);
                self.forget_node(node);
            }
            NodeKind::Case { subject, arms } => {
                self.discard(subject, frame, None);
                arms.iter().for_each(|arm| self.branch(arm, frame));
                self.forget_node(node);
            }
        }
        let reader = matches!(node.kind, NodeKind::While { .. } | NodeKind::For { .. })
            .then_some(PipeReader::Loop);
        for redirect in &node.redirects {
            self.discard(&redirect.target, frame, reader.clone());
        }
    }

    fn forget_node(&mut self, node: &'t Node) {
        let assigned = Assigned::default().by_node(node, &self.functions);
        self.forget(&assigned);
    }

    fn repeat(
        &mut self,
        node: &'t Node,
        condition: Option<(&'t List, bool)>,
        body: &'t List,
        endless: bool,
        frame: &Frame,
    ) {
        self.forget_node(node);
        let position = self.script.loops.len();
        let leaves = effects::may_leave(body, &self.functions);
        self.script.loops.push(Loop {
            inside: frame.context.inside,
            endless: endless && !leaves,
            counted: matches!(&node.kind, NodeKind::For { .. }) && !endless,
            reads: condition.is_some_and(|(list, _)| effects::reads(list)),
            sleeps: condition.is_some_and(|(list, until)| !until && effects::sleeps(list)),
            leaves,
            background: frame.context.background,
        });
        let mut also = false;
        if let Some((list, until)) = condition {
            let mut here = frame.clone();
            here.context.inside = Some((position, LoopPart::Condition));
            here.guarded = true;
            here.context.status = match until {
                _ if frame.after => StatusUse::Unknown,
                _ if !effects::significant(body, &self.functions) && !effects::reports(body) => {
                    StatusUse::Unknown
                }
                true => StatusUse::Inverted,
                false => StatusUse::Required,
            };
            also = effects::significant(list, &self.functions);
            self.list(list, &here);
        }
        let mut here = frame.clone();
        here.context.inside = Some((position, LoopPart::Body));
        here.context.conditional |= !endless;
        here.context.status = StatusUse::Ignored;
        self.cycle(body, also, &here);
        self.forget_node(node);
    }

    fn branches(&mut self, branches: &'t [(List, List)], otherwise: &'t List, frame: &Frame) {
        for (position, (condition, body)) in branches.iter().enumerate() {
            let others =
                branches.iter().skip(position.saturating_add(1)).any(|(condition, body)| {
                    effects::significant(condition, &self.functions)
                        || effects::significant(body, &self.functions)
                }) || effects::significant(otherwise, &self.functions);
            let reacts = effects::significant(body, &self.functions);
            let mut here = frame.clone();
            here.guarded = true;
            here.context.status = match (reacts, others) {
                _ if effects::list_leaves(body) && !reacts && !others => StatusUse::Inverted,
                _ if effects::list_leaves(otherwise) && !others && branches.len() == 1 => {
                    StatusUse::Required
                }
                (true, false) if !frame.after => StatusUse::Required,
                (false, true) if !frame.after => StatusUse::Inverted,
                (false, false) => StatusUse::Ignored,
                _ => StatusUse::Unknown,
            };
            here.context.conditional |= position > 0;
            self.list(condition, &here);
            self.branch(body, frame);
        }
        self.branch(otherwise, frame);
    }

    fn branch(&mut self, list: &'t List, frame: &Frame) {
        let mut here = frame.clone();
        here.context.conditional = true;
        self.aside(|walker| walker.list(list, &here));
    }

    /// Walks the substitutions in a word whose value does not matter.
    fn discard(&mut self, word: &'t RawWord, frame: &Frame, reader: Option<PipeReader>) {
        let mut here = frame.captured();
        here.context.reader = reader;
        self.word(word, &here);
    }
}
