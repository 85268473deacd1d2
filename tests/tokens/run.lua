-- Token ids against tiktoken's own: random texts and slices of this tree, for both vocabularies.
--
--   B=build luajit tests/tokens/run.lua [RECORDS [SEED]]     -- of each vocabulary; 4000 and 1 unless said otherwise
--
-- The oracle is installed once. When the registry cannot be reached the comparison is skipped, with one line.
local packages = dofile("tests/lib/packages.lua")
local process = dofile("tests/lib/process.lua")

local build = os.getenv("B") or "build"
local records, seed = arg[1] or "4000", arg[2] or "1"
local home = "build/clients/tokens" -- shared by all builds: what is installed does not depend on B

local ok, said = packages.npm(home, "tests/tokens")
if not ok then
  local word = packages.unreachable(said)
  if word then print(("tokens: the registry is not reachable (%s), so nothing is compared"):format(word)) else print(said) end
  print(word and "tokens: 0 passed, 0 failed, 1 skipped" or "tokens: 0 passed, 1 failed")
  os.exit(word ~= nil)
end

os.execute("cp tests/tokens/oracle.mjs " .. home .. "/")
local _, code = process.run {
  "node", home .. "/oracle.mjs", build .. "/tokens/ids", "--records", records, "--seed", seed, "--corpus", ".",
  seconds = 3600,
  on_line = function(line)
    print((line:gsub("^(%d+ passed, %d+ failed)$", "tokens: %1")))
    io.stdout:flush()
  end,
}
os.exit(code == 0)
