//! What the program gives to its surroundings: its version, completions for shells, its manual page.
//!
//! Enters: nothing but the arguments as declared. Leaves: texts. Must not know models.

use super::Ending;
use super::arguments::{Arguments, Shell};
use super::terminal::Terminal;
use crate::diagnostic::{Code, Diagnostic};
use clap::CommandFactory;
use clap_complete::generate;

/// `lotka completions SHELL`
pub fn completions(terminal: &Terminal, shell: Shell) -> Ending {
    let mut text = Vec::new();
    let mut command = Arguments::command();
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    generate(shell, &mut command, "lotka", &mut text);
    terminal.print(&String::from_utf8_lossy(&text));
    Ending::Fine
}

/// `lotka man`, or `lotka man COMMAND`
pub fn manual_page(terminal: &Terminal, word: Option<&str>) -> Ending {
    let mut command = Arguments::command();
    command.build();
    let (command, title) = match word {
        None => (command, "lotka".to_owned()),
        Some(word) => match command.find_subcommand(word) {
            Some(found) => (found.clone(), format!("lotka-{word}")),
            None => {
                let names = command.get_subcommands().map(clap::Command::get_name);
                let near = crate::diagnostic::did_you_mean(word, names);
                let message = format!("there is no command `{word}`");
                let mut problem = Diagnostic::new(Code::BadOption, message);
                if let Some(near) = near {
                    problem = problem.help(near);
                }
                terminal.report(&[problem]);
                return Ending::Model;
            }
        },
    };
    let mut page = Vec::new();
    // Writing into memory does not fail.
    let _ = clap_mangen::Man::new(command)
        .title(title)
        .render(&mut page);
    terminal.print(&String::from_utf8_lossy(&page));
    Ending::Fine
}
