// Compiler options. Runes everywhere; styles live in src/styles, so no class is scoped by path.
export default { compilerOptions: { runes: true } };
