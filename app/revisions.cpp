#include "app/revisions.hpp"

#include "config/config.hpp"

namespace torii::app {

Revisions::Revisions(BackgroundThread& background, const std::string& state_directory)
    : background_(background),
      store_(state_directory.empty() ? "" : state_directory + "/revisions") {}

std::uint64_t Revisions::start(const config::Model& model, const std::string& own_text,
                               config::RevisionNote note) {
    notes_ = store_.list();
    if (!notes_.empty())
        if (const auto last = store_.text(notes_.back().number))
            if (const auto loaded = config::load_text(*last, ""); loaded && loaded->model == model)
                return notes_.back().number;
    const auto text = own_text.empty() ? config::print(model, config::Secrets::Shown) : own_text;
    note.number = notes_.empty() ? 1 : notes_.back().number + 1;
    notes_.push_back(note);
    // A disk that cannot be written is no reason not to forward.
    (void)store_.put(note, text);
    return note.number;
}

void Revisions::add(config::RevisionNote note, std::string text,
                    std::function<void(const SystemError&)> failed) {
    notes_.push_back(note);
    if (notes_.size() > config::RevisionStore::kKept) notes_.erase(notes_.begin());
    background_.run(
        [this, note = std::move(note), text = std::move(text), failed = std::move(failed)] {
            if (const auto put = store_.put(note, text); !put) failed(put.error());
        });
}

}  // namespace torii::app
