//! What comes from the debugger.

use super::Session;
use super::session::State;
use crate::debuggee;
use crate::engine::health::Verdict;
use crate::exit::Failure;
use crate::tui::app::App;
use crate::tui::effect::Effect;
use crate::tui::message::debug::{Motion, Prospect, Question, Reply, Rules, Told};

impl App {
    /// Takes what a look would cost.
    pub(in crate::tui::app) fn prospect(&mut self, generation: u64, result: Result<Box<Prospect>, Failure>) {
        let (now, frozen) = (self.clock.uptime, self.frozen);
        let Some(work) = self.work.as_deref_mut().filter(|work| work.generation == generation) else { return };
        // What somebody has changed on the list since stays as it is.
        if let (None, Ok(prospect)) = (&work.debug.wanted, &result) {
            work.debug.wanted = Some(prospect.remembered.clone());
        }
        if !work.debug.prospect.arrive(result, now, frozen) {
            self.held += 1;
        }
    }

    /// Takes what is told of a session.
    pub(in crate::tui::app) fn debug_told(&mut self, number: u64, told: Told) {
        let (now, wall) = (self.clock.uptime, self.clock.wall);
        let Some(work) = &mut self.work else { return };
        let debug = &mut work.debug;
        let is_opening = debug.opening.as_ref().is_some_and(|(opening, _)| *opening == number);
        if is_opening {
            match told {
                Told::Stage(stage) => debug.opening = Some((number, stage)),
                Told::Opened(opened) => {
                    debug.opening = None;
                    let before = debug.session.take();
                    let replaced = before.as_ref().map(|before| before.number);
                    debug.threads = None;
                    debug.session = Some(Box::new(Session::new(number, *opened, before.map(|before| *before))));
                    if let Some(session) = replaced {
                        self.effect(Effect::EndDebug { session });
                    }
                }
                Told::Threads(threads) => {
                    debug.opening = None;
                    self.threads_read(*threads);
                }
                Told::Ended(failure) => {
                    debug.opening = None;
                    self.fail("Look with the debugger", failure);
                }
                _ => {}
            }
            return;
        }
        let Some(session) = debug.session.as_deref_mut().filter(|session| session.number == number) else {
            // It was given up while it was being opened.
            if let Told::Opened(_) = told {
                self.effect(Effect::EndDebug { session: number });
            }
            return;
        };
        match told {
            Told::Stage(_) | Told::Opened(_) | Told::Threads(_) => {}
            Told::Ended(failure) => {
                session.ended = Some(failure.message.clone());
                self.fail("The debugger has ended", failure);
            }
            Told::Moved(motion) => {
                let stops = matches!(motion, Motion::Stopped(..));
                session.moved(motion, now);
                if stops && work.target.as_ref().is_some_and(|target| debuggee::verdict(target, wall).is_some()) {
                    session.health_is_old = true;
                    let generation = work.generation;
                    self.stands_still();
                    // Whether checks have failed of late.
                    self.effect(Effect::Inspect { generation });
                }
            }
            Told::Breakpoints(all, hindered) => {
                session.breakpoints.arrive(all);
                if let Some(failure) = hindered {
                    self.say(format!("breakpoints hold for this session only: {}", failure.message));
                }
            }
            Told::Traced { id, hits, text } => {
                session.breakpoints.logged(id, hits, text.clone());
                self.say(text);
            }
            Told::Set { name, value } => {
                let questions = session.variables.again();
                self.ask_debugger(number, questions);
                self.say(format!("{name} was set to {value}"));
            }
            Told::Refused(failure) => self.fail("Delve", failure),
            Told::Rules(rules, hindered) => self.rules(rules, hindered),
            Told::Replied { question, result } => {
                let next = session.reply(question, result);
                self.ask_debugger(number, next);
            }
        }
    }

    /// What the health check makes of a process since it stands still. Failures while it does are part of that.
    fn stands_still(&mut self) {
        let clock = self.clock;
        let Some(work) = &mut self.work else { return };
        let Some(session) = work.debug.session.as_deref_mut() else { return };
        let (State::Stopped { since, .. }, Some(target)) = (&session.state, &work.target) else { return };
        let stood = clock.uptime.saturating_sub(*since);
        let then = clock.wall.checked_sub(stood).unwrap_or(clock.wall);
        session.health = debuggee::verdict(target, then).map(|(_, verdict)| verdict);
    }

    /// The engine has told of the container anew.
    pub(in crate::tui::app) fn health_told(&mut self) {
        let unhealthy = self.work.as_ref().and_then(|work| work.target.as_ref()).is_some_and(|target| {
            debuggee::verdict(target, self.clock.wall).is_some_and(|(_, verdict)| verdict == Verdict::Unhealthy)
        });
        let Some(session) = self.debugging() else { return };
        // What fails while it stands still was reckoned with.
        if std::mem::take(&mut session.health_is_old) || unhealthy {
            self.stands_still();
        }
    }

    fn rules(&mut self, rules: Rules, hindered: Option<Failure>) {
        if let Some(session) = self.debugging() {
            session.rules = rules;
        }
        if let Some(failure) = hindered {
            self.say(format!("the rule holds for this session only: {}", failure.message));
        }
    }
}

impl Session {
    /// Takes an answer. Gives what is to be asked next.
    fn reply(&mut self, question: Question, result: Result<Reply, Failure>) -> Option<Question> {
        let words = |failure: Failure| failure.message;
        match (question, result) {
            (question @ (Question::Goroutines { .. } | Question::Groups { .. }), result)
                if self.goroutines.awaits(&question) =>
            {
                match result {
                    Ok(Reply::Goroutines(page)) => self.goroutines.arrive(&page),
                    Ok(Reply::Groups(groups)) => self.goroutines.arrive_groups(&groups),
                    Ok(_) => {}
                    Err(failure) => {
                        self.goroutines.busy = false;
                        self.goroutines.error = Some(failure.message);
                    }
                }
            }
            (Question::Stack { goroutine, .. }, result) if self.stack.goroutine == Some(goroutine) => match result {
                Ok(Reply::Stack(frames)) => self.stack.arrive(frames),
                Ok(_) => {}
                Err(failure) => {
                    self.stack.busy = false;
                    self.stack.error = Some(failure.message);
                }
            },
            (Question::Variables(call), result) if self.variables.call == Some(call) => match result {
                Ok(Reply::Variables { arguments, locals }) => self.variables.arrive(arguments, locals),
                Ok(_) => {}
                Err(failure) => {
                    self.variables.arrive(Vec::new(), Vec::new());
                    self.variables.error = Some(failure.message);
                }
            },
            (Question::Evaluate { call, expression, purpose }, result) if self.variables.call == Some(call) => {
                match result {
                    Ok(Reply::Value(value)) => self.variables.evaluated(&expression, &purpose, Ok(*value)),
                    Ok(_) => {}
                    Err(failure) => self.variables.evaluated(&expression, &purpose, Err(failure.message)),
                }
            }
            (Question::Source(file), Ok(Reply::Source(text))) => return self.source.arrive(&file, Ok(text)),
            (Question::Source(file), Err(failure)) => return self.source.arrive(&file, Err(words(failure))),
            (Question::Instructions { call, .. }, Ok(Reply::Instructions(instructions))) => {
                self.source.disassembled(call, Ok(instructions));
            }
            (Question::Instructions { call, .. }, Err(failure)) => {
                self.source.disassembled(call, Err(words(failure)));
            }
            _ => {}
        }
        None
    }
}
