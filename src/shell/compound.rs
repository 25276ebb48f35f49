//! Compound commands: groups, loops, branches and functions.

use super::assigned::Assigned;
use super::effects::{self, Function};
use super::tree::{Kind, List, Node, Raw};
use super::walk::{Place, Walker};
use super::{Loop, Part, Reader, Status};

impl<'t> Walker<'t> {
    pub(super) fn node(&mut self, node: &'t Node, place: &Place) {
        self.spend(1);
        match &node.kind {
            Kind::Simple(simple) => return self.simple(simple, &node.redirects, place),
            Kind::Group(list) => self.list(list, place),
            Kind::Subshell(list) => self.aside(|walker| walker.list(list, place)),
            Kind::Function { name, body } => {
                let known = match self.functions.contains_key(name.as_str()) {
                    true => None,
                    false => Some(Function::new(body, &self.functions)),
                };
                self.functions.insert(name, known);
            }
            Kind::Arithmetic(_) => {}
            Kind::While { until, condition, body } => {
                let endless =
                    if *until { effects::never(condition) } else { effects::always(condition) };
                self.repeat(node, Some((condition, *until)), body, endless, place);
            }
            Kind::For { words, body, endless, .. } => {
                for word in words {
                    self.discard(word, place, None);
                }
                self.repeat(node, None, body, *endless, place);
            }
            Kind::If { branches, otherwise } => {
                self.branches(branches, otherwise, place);
                self.forget_node(node);
            }
            Kind::Case { subject, arms } => {
                self.discard(subject, place, None);
                arms.iter().for_each(|arm| self.branch(arm, place));
                self.forget_node(node);
            }
        }
        let reader =
            matches!(node.kind, Kind::While { .. } | Kind::For { .. }).then_some(Reader::Loop);
        for redirect in &node.redirects {
            self.discard(&redirect.target, place, reader.clone());
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
        place: &Place,
    ) {
        self.forget_node(node);
        let position = self.script.loops.len();
        let leaves = effects::may_leave(body, &self.functions);
        self.script.loops.push(Loop {
            inside: place.context.inside,
            endless: endless && !leaves,
            counted: matches!(&node.kind, Kind::For { .. }) && !endless,
            reads: condition.is_some_and(|(list, _)| effects::reads(list)),
            sleeps: condition.is_some_and(|(list, until)| !until && effects::sleeps(list)),
            leaves,
            background: place.context.background,
        });
        let mut also = false;
        if let Some((list, until)) = condition {
            let mut here = place.clone();
            here.context.inside = Some((position, Part::Condition));
            here.guarded = true;
            here.context.status = match until {
                _ if place.after => Status::Unknown,
                _ if !effects::significant(body, &self.functions) && !effects::reports(body) => {
                    Status::Unknown
                }
                true => Status::Inverted,
                false => Status::Required,
            };
            also = effects::significant(list, &self.functions);
            self.list(list, &here);
        }
        let mut here = place.clone();
        here.context.inside = Some((position, Part::Body));
        here.context.conditional |= !endless;
        here.context.status = Status::Ignored;
        self.cycle(body, also, &here);
        self.forget_node(node);
    }

    fn branches(&mut self, branches: &'t [(List, List)], otherwise: &'t List, place: &Place) {
        for (position, (condition, body)) in branches.iter().enumerate() {
            let others =
                branches.iter().skip(position.saturating_add(1)).any(|(condition, body)| {
                    effects::significant(condition, &self.functions)
                        || effects::significant(body, &self.functions)
                }) || effects::significant(otherwise, &self.functions);
            let reacts = effects::significant(body, &self.functions);
            let mut here = place.clone();
            here.guarded = true;
            here.context.status = match (reacts, others) {
                _ if effects::list_leaves(body) && !reacts && !others => Status::Inverted,
                _ if effects::list_leaves(otherwise) && !others && branches.len() == 1 => {
                    Status::Required
                }
                (true, false) if !place.after => Status::Required,
                (false, true) if !place.after => Status::Inverted,
                (false, false) => Status::Ignored,
                _ => Status::Unknown,
            };
            here.context.conditional |= position > 0;
            self.list(condition, &here);
            self.branch(body, place);
        }
        self.branch(otherwise, place);
    }

    fn branch(&mut self, list: &'t List, place: &Place) {
        let mut here = place.clone();
        here.context.conditional = true;
        self.aside(|walker| walker.list(list, &here));
    }

    /// Walks the substitutions in a word whose value does not matter.
    fn discard(&mut self, word: &'t Raw, place: &Place, reader: Option<Reader>) {
        let mut here = place.captured();
        here.context.reader = reader;
        self.word(word, &here);
    }
}
