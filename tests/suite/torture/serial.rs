//! Racing clients on one user: is there an order of their requests that explains every answer?
//!
//! The search is Wing and Gong's: take any request that began before every other one ended, see whether the model answers it as
//! the server did, and go on with the rest; states that were tried are remembered.

use super::{
    Dice,
    api::{access_token, add_user, admin_token, authorize, client_from, never_lock, passwords, revoke, verify},
};
use crate::server::{Launch, Server, scratch};
use core::sync::atomic::{AtomicU64, Ordering};
use std::{collections::HashSet, sync::Mutex, thread};

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Requests whose answers were explained.
    pub requests: usize,
    /// Requests refused with 503 because others kept winning.
    pub given_up: usize,
    /// Histories without an order.
    pub wrong: Vec<String>,
}

/// Lets `clients` clients race on `users` users, one after the other, with 56 requests each.
pub fn run(users: usize, clients: usize) -> Outcome {
    let (_home, data) = scratch();
    let server = Launch::on(data).set("throttle.source_limit", "0").start();
    let admin = admin_token(&server);
    never_lock(&server, &admin);
    let mut outcome = Outcome::default();
    for user in 0..users {
        let history = race(&server, &admin, user, clients);
        outcome.requests += history.len();
        outcome.given_up += history.iter().filter(|done| done.answer == Answer::Unchanged).count();
        if !has_order(&history) {
            outcome.wrong.push(format!("{history:#?}"));
        }
    }
    outcome
}

/// A request, by the numbers of passwords and tokens.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Login { password: u8, token: u8 },
    Add { with: u8, new: u8 },
    Replace { with: u8, new: u8 },
    Delete { password: u8 },
    Verify { token: u8 },
    Revoke { token: u8 },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Answer {
    Yes,
    /// 401.
    No,
    /// 400: right credentials, and not allowed.
    Refused,
    /// 503: nothing was done.
    Unchanged,
}

#[derive(Clone, Copy, Debug)]
struct Done {
    ask: Ask,
    answer: Answer,
    begun: u64,
    ended: u64,
}

/// How many passwords are played with, of which the first is there from the start.
const PASSWORDS: usize = 4;

/// How many requests one history has; the search keeps them in 64 bits.
const REQUESTS: usize = 56;

fn race(server: &Server, admin: &str, user: usize, clients: usize) -> Vec<Done> {
    let name = format!("user-{user}");
    let password = |number: u8| format!("password {number} of user {user}");
    add_user(server, admin, &name, &password(0));
    let (ticks, next_token) = (AtomicU64::new(0), AtomicU64::new(0));
    let (tokens, history) = (Mutex::new(Vec::<(u8, String)>::new()), Mutex::new(Vec::new()));
    let tick = || ticks.fetch_add(1, Ordering::SeqCst);
    thread::scope(|scope| {
        for number in 0..clients {
            let (tokens, history, name, next_token) = (&tokens, &history, &name, &next_token);
            scope.spawn(move || {
                let mut dice = Dice::new((user * 1000 + number) as u64 + 7);
                let mut client = client_from(server.address, number);
                for _ in 0..REQUESTS / clients {
                    let mut some = || u8::try_from(dice.roll(PASSWORDS)).unwrap();
                    let (one, other) = (some(), some());
                    let known = tokens.lock().unwrap().clone();
                    let token = (!known.is_empty()).then(|| dice.pick(&known).clone());
                    let (ask, request) = match (dice.roll(10), token) {
                        (0 | 1, _) => (
                            Ask::Add { with: one, new: other },
                            passwords("POST", name, &password(one), Some(&password(other))),
                        ),
                        (2, _) => (
                            Ask::Replace { with: one, new: other },
                            passwords("PUT", name, &password(one), Some(&password(other))),
                        ),
                        (3, _) => (Ask::Delete { password: one }, passwords("DELETE", name, &password(one), None)),
                        (4..=6, Some((token, text))) => (Ask::Verify { token }, verify(&text)),
                        (7, Some((token, text))) => (Ask::Revoke { token }, revoke(&text, admin)),
                        _ => {
                            let token = u8::try_from(next_token.fetch_add(1, Ordering::SeqCst)).unwrap();
                            (Ask::Login { password: one, token }, authorize(name, &password(one)))
                        }
                    };
                    let begun = tick();
                    let reply = client.send(&request).unwrap();
                    let ended = tick();
                    let answer = match reply.status {
                        200..=299 => Answer::Yes,
                        401 => Answer::No,
                        400 => Answer::Refused,
                        503 => Answer::Unchanged,
                        status => panic!("{ask:?} is answered with {status}"),
                    };
                    if let (Ask::Login { token, .. }, Some(text)) = (ask, access_token(&reply)) {
                        tokens.lock().unwrap().push((token, text));
                    }
                    history.lock().unwrap().push(Done { ask, answer, begun, ended });
                }
            });
        }
    });
    history.into_inner().unwrap()
}

/// A user as the contract describes one: bit sets of passwords and of tokens that are good.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Model {
    passwords: u8,
    tokens: u64,
}

impl Model {
    const START: Self = Self { passwords: 1, tokens: 0 };

    fn answer(self, ask: Ask) -> (Answer, Self) {
        let has = |password: u8| self.passwords & 1 << password != 0;
        match ask {
            Ask::Login { password, token } if has(password) => {
                (Answer::Yes, Self { tokens: self.tokens | 1 << token, ..self })
            }
            Ask::Add { with, new } if has(with) => {
                if has(new) {
                    return (Answer::Refused, self);
                }
                (Answer::Yes, Self { passwords: self.passwords | 1 << new, ..self })
            }
            Ask::Replace { with, new } if has(with) => {
                if has(new) {
                    return (Answer::Refused, self);
                }
                (Answer::Yes, Self { passwords: 1 << new, tokens: 0 })
            }
            Ask::Delete { password } if has(password) => {
                let left = self.passwords & !(1 << password);
                if left == 0 { (Answer::Refused, self) } else { (Answer::Yes, Self { passwords: left, ..self }) }
            }
            Ask::Verify { token } if self.tokens & 1 << token != 0 => (Answer::Yes, self),
            Ask::Revoke { token } => (Answer::Yes, Self { tokens: self.tokens & !(1 << token), ..self }),
            Ask::Login { .. } | Ask::Add { .. } | Ask::Replace { .. } | Ask::Delete { .. } | Ask::Verify { .. } => {
                (Answer::No, self)
            }
        }
    }
}

fn has_order(history: &[Done]) -> bool {
    assert!(history.len() <= 64, "a history is kept in 64 bits");
    search(history, 0, Model::START, &mut HashSet::new())
}

fn search(history: &[Done], done: u64, model: Model, tried: &mut HashSet<(u64, Model)>) -> bool {
    let open = || (0..history.len()).filter(|at| done & 1 << at == 0);
    let Some(first_end) = open().map(|at| history[at].ended).min() else { return true };
    if !tried.insert((done, model)) {
        return false;
    }
    open().filter(|at| history[*at].begun < first_end).any(|at| {
        let next = match history[at] {
            Done { answer: Answer::Unchanged, .. } => Some(model),
            Done { ask, answer, .. } => Some(model.answer(ask)).filter(|(says, _)| *says == answer).map(|(_, next)| next),
        };
        next.is_some_and(|next| search(history, done | 1 << at, next, tried))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(ask: Ask, answer: Answer, begun: u64, ended: u64) -> Done {
        Done { ask, answer, begun, ended }
    }

    #[test]
    fn an_order_is_found_only_where_there_is_one() {
        let replace = done(Ask::Replace { with: 0, new: 1 }, Answer::Yes, 0, 3);
        let login = |password, answer, begun, ended| done(Ask::Login { password, token: 0 }, answer, begun, ended);
        // While the replacement runs, either answer has its place; after it, only one.
        assert!(has_order(&[replace, login(0, Answer::Yes, 1, 2)]));
        assert!(has_order(&[replace, login(0, Answer::No, 1, 2)]));
        assert!(!has_order(&[replace, login(0, Answer::Yes, 4, 5)]));
        assert!(!has_order(&[
            replace,
            login(0, Answer::No, 1, 2),
            done(Ask::Login { password: 0, token: 1 }, Answer::Yes, 4, 5)
        ]));
        // A token that was ended stays ended.
        let verify = |answer, begun, ended| done(Ask::Verify { token: 0 }, answer, begun, ended);
        let revoke = done(Ask::Revoke { token: 0 }, Answer::Yes, 4, 7);
        let start = login(0, Answer::Yes, 0, 1);
        assert!(has_order(&[start, revoke, verify(Answer::No, 5, 6), verify(Answer::No, 8, 9)]));
        assert!(!has_order(&[start, revoke, verify(Answer::No, 5, 6), verify(Answer::Yes, 8, 9)]));
    }
}
