//! Readings have a thread of their own: parsing a large answer never delays a key, and a reading need not be able to
//! change threads.

use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use super::read;
use super::session::Session;
use crate::exit::{Exit, Failure};
use crate::tui::message::{Answer, Msg, Request};

/// A request to the thread.
pub(super) struct Order {
    pub(super) session: Session,
    pub(super) generation: u64,
    pub(super) request: Request,
}

/// The thread. Ends when this is dropped.
pub(super) struct Worker(mpsc::UnboundedSender<Order>);

impl Worker {
    pub(super) fn start(out: mpsc::Sender<Msg>) -> Self {
        let (sender, orders) = mpsc::unbounded_channel();
        // If there is no thread to be had, orders are dropped and answered with a failure: see `order`.
        let _ = std::thread::Builder::new().name("readings".to_owned()).spawn(move || work(orders, &out));
        Self(sender)
    }

    /// Orders a reading. False if nobody is there to do it.
    pub(super) fn order(&self, order: Order) -> bool {
        self.0.send(order).is_ok()
    }
}

fn work(mut orders: mpsc::UnboundedReceiver<Order>, out: &mpsc::Sender<Msg>) {
    let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return };
    LocalSet::new().block_on(&runtime, async move {
        while let Some(order) = orders.recv().await {
            let out = out.clone();
            tokio::task::spawn_local(async move {
                let Order { session, generation, request } = order;
                let result = caught(session, request.clone()).await;
                let _ = out.send(Msg::Reading { generation, request, result }).await;
            });
        }
    });
}

/// A panic in a reading is a failure like others: hostile input must not end the program.
async fn caught(session: Session, request: Request) -> Result<Answer, Failure> {
    match tokio::task::spawn_local(read::answer(session, request)).await {
        Ok(result) => result,
        Err(_) => Err(Failure::new(Exit::No, "the reading failed in a way it should not").try_this("please report it")),
    }
}
