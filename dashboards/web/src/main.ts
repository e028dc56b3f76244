// Where the page starts: language and theme from the address, then the application.
import { mount } from "svelte";
import App from "./App.svelte";
import { locale } from "./i18n/locale.svelte";
import { looked } from "./lib/address.svelte";
import { settings } from "./lib/settings.svelte";
import { readTheme } from "./lib/theme";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/sign-in.css";
import "./styles/wallboard.css";
import "./styles/agents.css";
import "./styles/rail.css";
import "./styles/dialogs.css";
import "./styles/narrow.css";
import "./styles/kiosk.css";

const query = new URLSearchParams(location.search);
readTheme(query);
locale.read(query);
looked.read(query);
settings.read();

const target = document.getElementById("app");
if (target === null) throw new Error("the page has no place for the application");
mount(App, { target });
