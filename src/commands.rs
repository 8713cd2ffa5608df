//! The subcommands, one file each, and what they share.

pub mod clean;
pub mod list;
pub mod logs;
pub mod output;
pub mod table;
pub mod words;

use std::cell::OnceCell;
use std::io::IsTerminal as _;

use crate::cli::{Color, Global};
use crate::engine::docker::Docker;
use crate::entry::{self, Access, Broker, Entered};
use crate::exit::Failure;
use crate::target::{Target, TargetName};

/// What every command is given.
pub struct Context {
    /// The options typed.
    pub global: Global,
    /// The privileged half, if this process could start one.
    pub broker: Broker,
    engine: OnceCell<Docker>,
}

impl Context {
    /// Puts one together.
    #[must_use]
    pub fn new(global: Global, broker: Broker) -> Self {
        Self { global, broker, engine: OnceCell::new() }
    }

    /// The engine. Connected at first use.
    ///
    /// # Errors
    /// If the options and the environment name no engine that could be asked.
    pub fn engine(&self) -> Result<&Docker, Failure> {
        if let Some(engine) = self.engine.get() {
            return Ok(engine);
        }
        let engine = Docker::connect(self.global.host.as_deref())?;
        Ok(self.engine.get_or_init(|| engine))
    }

    /// Finds what a name means.
    ///
    /// # Errors
    /// If there is no such target, or more than one.
    pub async fn find(&self, name: &TargetName) -> Result<Target, Failure> {
        match name {
            TargetName::Container(name) => Ok(Target::Container(Box::new(self.engine()?.resolve(name).await?))),
            TargetName::Process(pid) => Ok(Target::Process(*pid)),
        }
    }

    /// Finds a target and goes in to look.
    ///
    /// # Errors
    /// If it cannot be found, does not run, or cannot be entered.
    pub async fn enter(&self, name: &TargetName) -> Result<(Target, Entered), Failure> {
        self.enter_with(name, &self.global.access()).await
    }

    /// The same, with other rights than the options say.
    ///
    /// # Errors
    /// As [`Context::enter`].
    pub async fn enter_with(&self, name: &TargetName, access: &Access) -> Result<(Target, Entered), Failure> {
        let target = self.find(name).await?;
        if let Some(container) = target.container() {
            container.running()?;
        }
        let entered = entry::enter(&self.broker, &target, access).await?;
        self.still_the_same(&target).await?;
        Ok((target, entered))
    }

    /// Between asking the engine for a process id and holding the process, the container may have ended and
    /// its id may have gone to another process. The engine is asked again once the process is held.
    async fn still_the_same(&self, target: &Target) -> Result<(), Failure> {
        if let Some(before) = target.container() {
            let after = self.engine()?.inspect(&before.id).await?;
            after.running()?;
            if after.pid != before.pid || after.started != before.started {
                return Err(entry::Error::Moved { target: before.name.clone() }.into());
            }
        }
        Ok(())
    }

    /// Whether standard output gets colour.
    #[must_use]
    pub fn color(&self) -> bool {
        match self.global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        }
    }
}
