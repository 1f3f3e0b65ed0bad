#pragma once

// The two workers of a job that speaks: one reads, one films, and the device works between them.

#include "actors/interfaces.hpp"
#include "actors/metered.hpp"
#include "pipeline/film.hpp"
#include "pipeline/speech_source.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace musetalk::actors {

/// What the workers do their work with. Everything is called on the actor's own thread.
struct speech_parts {
  pipeline::speech_source_factory open_speech;
  pipeline::film_factory open_film;
};

struct speech_reader_state {
  std::string job_id; ///< Whose speech is open; empty when none is.
  std::unique_ptr<pipeline::speech_source> source;

  static inline const char* name = "speech-reader";
};

using speech_reader_pointer = metered_actor<speech_reader_actor, speech_reader_state>*;

/// Reads what a job is to say. Spawn it detached: it decodes, and calls of `analysis` wait.
speech_reader_actor::behavior_type
speech_reader(speech_reader_pointer self, const pipeline::speech_source_factory& open_speech,
              const std::function<pipeline::sound_analysis_ptr(const job_id&)>& analysis);

struct film_maker_state {
  std::string job_id;
  std::unique_ptr<pipeline::film> film;
  int64_t frames = 0; ///< Written so far.

  static inline const char* name = "film-maker";
};

using film_maker_pointer = metered_actor<film_maker_actor, film_maker_state>*;

/// Blends and encodes. Spawn it detached.
film_maker_actor::behavior_type film_maker(film_maker_pointer self,
                                           const pipeline::film_factory& open_film);

} // namespace musetalk::actors
