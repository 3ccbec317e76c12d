// Starts `lotka lsp` and leaves the rest to it.

const path = require("path");
const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

let client;

function program() {
  return vscode.workspace.getConfiguration("lotka").get("path") || "lotka";
}

async function start() {
  const server = { command: program(), args: ["lsp"], transport: TransportKind.stdio };
  client = new LanguageClient("lotka", "Lotka", server, {
    documentSelector: [{ language: "lotka" }],
    // Tables beside a model: what they hold is checked with it.
    synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/*.{csv,tsv,txt,lotka}") },
  });
  try {
    await client.start();
  } catch (error) {
    const settings = "Open Settings";
    const chosen = await vscode.window.showErrorMessage(
      `\`${program()} lsp\` does not start: install lotka, or say in the setting lotka.path where it is. (${error.message})`,
      settings,
    );
    if (chosen === settings) {
      vscode.commands.executeCommand("workbench.action.openSettings", "lotka.path");
    }
  }
}

async function stop() {
  const old = client;
  client = undefined;
  if (old && old.isRunning()) {
    await old.stop();
  }
}

async function run() {
  const editor = vscode.window.activeTextEditor;
  if (!editor || editor.document.languageId !== "lotka") {
    return;
  }
  if (!(await editor.document.save())) {
    return;
  }
  // A task quotes its arguments for whatever shell there is, and shows what the program prints.
  const file = editor.document.uri.fsPath;
  const folder = vscode.workspace.getWorkspaceFolder(editor.document.uri);
  const task = new vscode.Task(
    { type: "lotka" },
    folder || vscode.TaskScope.Workspace,
    "run",
    "lotka",
    new vscode.ProcessExecution(program(), ["run", file], { cwd: path.dirname(file) }),
  );
  task.presentationOptions = { clear: true };
  await vscode.tasks.executeTask(task);
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("lotka.run", run),
    vscode.commands.registerCommand("lotka.restart", async () => {
      await stop();
      await start();
    }),
    vscode.workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration("lotka.path")) {
        await stop();
        await start();
      }
    }),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
