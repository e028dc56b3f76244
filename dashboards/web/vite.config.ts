// How the application is built: into ../dist, the folder that the server embeds. The same sources
// give the same bytes: names carry a hash of the content only, and nothing carries a path or a time.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [
    svelte({
      onwarn(warning) {
        // The compiler's warnings are mostly about accessibility; none is let through.
        throw new Error(`${warning.code}: ${warning.message}`);
      },
    }),
  ],
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    target: "es2022",
    // The page runs under default-src 'self': no data: URL and no inline script may be made.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: true,
  },
  server: {
    proxy: {
      "/api": "http://127.0.0.1:8080",
      "/ws": { target: "ws://127.0.0.1:8080", ws: true },
    },
  },
  test: { include: ["test/**/*.test.ts"], environment: "node" },
});
