// Shows what there is: a game, a latent space, a run.

import { showGame } from "./game.js";
import { showLatents } from "./latents.js";
import { askJson, say } from "./messages.js";
import { showRun } from "./run.js";

const TITLES = { game: "The game", run: "The run", latents: "The latent space" };

function showName(name) {
  document.title = `${name} · zerosum explore`;
  document.getElementById("name").textContent = name;
}

function choose(shown) {
  for (const name of Object.keys(TITLES)) document.getElementById(name).hidden = name !== shown;
  for (const button of document.querySelectorAll("#tabs button")) {
    if (button.dataset.name === shown) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
}

function showTabs(names) {
  const tabs = document.getElementById("tabs");
  for (const name of names) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.name = name;
    button.textContent = TITLES[name];
    button.addEventListener("click", () => choose(name));
    tabs.append(button);
  }
  tabs.hidden = names.length < 2;
  choose(names[0]);
}

try {
  const about = await askJson("about");
  say("");
  history.replaceState(null, "", location.pathname); // the cookie has the token now
  showName(about.name);
  const names = [about.run && "run", about.game && "game", (about.space || about["why-no-space"]) && "latents"];
  showTabs(names.filter(Boolean));
  if (about.game) showGame(about.game, about.run ? () => {} : showName);
  if (about.run) showRun();
  if (names[2]) showLatents(about.space, about["why-no-space"]);
} catch (error) {
  say(error.message);
}
