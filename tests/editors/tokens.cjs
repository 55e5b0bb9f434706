// Reads a runbook with the tokeniser of Visual Studio Code and prints a line of JSON a token.
// node tokens.cjs EXTENSION_FOLDER FILE
const fs = require('fs');
const path = require('path');
const extension = path.resolve(process.argv[2]);
const load = require('module').createRequire(path.join(extension, 'package.json'));
const textmate = load('vscode-textmate');
const oniguruma = load('vscode-oniguruma');

async function main() {
  const wasm = fs.readFileSync(load.resolve('vscode-oniguruma/release/onig.wasm'));
  await oniguruma.loadWASM(wasm);
  const file = path.join(extension, 'syntaxes', 'runbook.tmLanguage.json');
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(fs.readFileSync(file, 'utf8'), file),
  });
  const grammar = await registry.loadGrammar('source.runbook');
  let stack = textmate.INITIAL;
  fs.readFileSync(process.argv[3], 'utf8').split('\n').forEach((text, index) => {
    const { tokens, ruleStack } = grammar.tokenizeLine(text, stack);
    stack = ruleStack;
    for (const { startIndex, endIndex, scopes } of tokens) {
      console.log(JSON.stringify({ line: index, start: startIndex, end: endIndex, colour: scopes.join(' ') }));
    }
  });
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
