// One script and one style sheet of fixed names: the server puts them under an address with their digest,
// and inside a year nobody asks for them again.
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {defineConfig} from 'vite';

// The contract says which algorithms there are, so that a new one needs no change here.
const contract = process.env.MILLRACE_CONTRACT ??
  fileURLToPath(new URL('../../schemas/openapi/v1.yaml', import.meta.url));
const named = /name: algorithm\n(?:.*\n){3,4}? *enum: \[(.*)\]/.exec(readFileSync(contract, 'utf8'));
if (!named) throw new Error(`no algorithms in ${contract}`);

export default defineConfig({
  define: {ALGORITHMS: JSON.stringify(named[1].split(/, */))},
  esbuild: {jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none'},
  build: {
    target: 'es2021',
    modulePreload: false,
    cssCodeSplit: false,
    rollupOptions: {
      input: 'src/main.tsx',
      output: {entryFileNames: 'console.js', assetFileNames: 'console[extname]', inlineDynamicImports: true},
    },
  },
});
