-- Installs the pinned agents into a folder, the first time; ends with 1 and what was said when that fails.
--
--   luajit tests/agents/install.lua build/agents
--
-- `npm install` and not `npm ci`: the lock file pins what it names, and some of opencode's builds for other systems are
-- not to be had everywhere, which `npm ci` takes for a fault.
local packages = dofile("tests/lib/packages.lua")

local folder, from = arg[1], "tests/agents"
local ok, said = packages.installed(folder, from .. "/package-lock.json", {
  { "cp", from .. "/package.json", from .. "/package-lock.json", folder .. "/" },
  { "npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", cwd = folder },
  -- Of all scripts these two alone: they put the program for this system in its place.
  { "node", "install.cjs", cwd = folder .. "/node_modules/@anthropic-ai/claude-code" },
  { "node", "postinstall.mjs", cwd = folder .. "/node_modules/opencode-ai" },
})
if not ok then
  io.stderr:write(said, "\n")
  os.exit(1)
end
