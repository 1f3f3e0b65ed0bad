#pragma once

#include "config/settings.hpp"
#include "http/json.hpp"
#include "pipeline/store_claims.hpp"

#include <string>

namespace musetalk::http {

/// `{sound, deep, avatars, versions, files, bytes, findings: [{code, object, what, remedy, heals}],
/// cut}`.
json to_json(const pipeline::store_report& x);

/// The same for people, a finding a paragraph.
std::string to_text(const pipeline::store_report& x);

/// Compares `AVATARS_DIR` with its catalog while no service runs there.
/// @param deep Reads every file for its checksum.
/// @throws error `settings_invalid` while a service holds the folder or there is none,
/// `catalog_failed`.
pipeline::store_report check_offline(const config::settings& settings, bool deep);

} // namespace musetalk::http
