#pragma once

#include "models/checkpoint/pickle_reader.hpp"

#include <string>
#include <string_view>

namespace musetalk::models {

/// Whether only a hostile file names this global: anything of `os`, `subprocess`, ..., and of
/// `builtins` all but its plain containers and `getattr`, which mmengine's logs refer to.
bool is_forbidden(std::string_view module, std::string_view name) noexcept;

/// At most 80 printable characters of a name, for messages.
std::string printable(std::string_view name);

/// The value that `name(*arguments)` stands for, added to `p`. Nothing is called: each name of the
/// closed list has its meaning written out.
/// @throws musetalk::error `models_invalid` for a name outside the list or wrong arguments.
pickle_id call_global(pickle& p, std::string_view name, const std::vector<pickle_id>& arguments);

/// The storage that a persistent id `('storage', type, key, location, elements[, view])` names,
/// added to `p`.
/// @throws musetalk::error `models_invalid` for any other id.
pickle_id storage_of(pickle& p, const pickle_value& id);

/// Accepts the state of a little-endian numpy dtype.
/// @throws musetalk::error `models_invalid` for another one.
void check_dtype_state(const pickle& p, const pickle_value& state);

} // namespace musetalk::models
