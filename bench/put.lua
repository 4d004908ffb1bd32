-- PUT a manifest of its own under a tag of its own, over the repositories in turn.
-- Arguments: a word that no other run has, a file with the manifest in which @ stands for the tag, and the repositories.

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  run = arguments[1]
  local file = assert(io.open(arguments[2]))
  before, after = file:read("*a"):match("^(.*)@(.*)$")
  file:close()
  repositories = { unpack(arguments, 3) }
  count = 0
end

function request()
  count = count + 1
  local tag = string.format("%s-%d-%d", run, number, count)
  local repository = repositories[count % #repositories + 1]
  return wrk.format("PUT", "/v2/" .. repository .. "/manifests/" .. tag, nil, before .. tag .. after)
end
