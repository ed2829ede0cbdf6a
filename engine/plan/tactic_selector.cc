#include "engine/plan/tactic_selector.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "engine/core/hash.h"
#include "engine/core/joined.h"
#include "engine/core/most_threads.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/plan/op_signature.h"
#include "engine/plan/timing_cache.h"
#include "engine/plan/tuner.h"
#include "engine/plan/written_layout.h"

namespace fovea {

namespace {

/// Threads for which a tactic of that name may be, beside one thread and every team: the product
/// of its parts, "/2" or "/1x2" at the end (see Tactic); 1 where it has none.
int threads_of(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  if (slash == std::string_view::npos) return 1;
  int product = 1;
  int part = 0;
  for (const char letter : name.substr(slash + 1)) {
    if (letter == 'x') {
      product *= part;
      part = 0;
    } else if (letter >= '0' && letter <= '9') {
      part = 10 * part + (letter - '0');
    } else {
      return 1;
    }
    if (product > kMostThreads || part > kMostThreads) return 1;
  }
  product *= part;
  return product > kMostThreads ? 1 : std::max(1, product);
}

std::optional<std::size_t> find_tactic(const std::vector<Tactic>& tactics, std::string_view name) {
  const auto found = std::ranges::find(tactics, name, &Tactic::name);
  if (found == tactics.end()) return std::nullopt;
  return static_cast<std::size_t>(found - tactics.begin());
}

/// Bytes that are converted or copied before and after the tactic.
std::size_t converted_bytes(const OpSite& site, const Tactic& tactic) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < site.node.inputs.size(); ++i) {
    if (site.constant(i) != nullptr || tactic.inputs[i] == site.inputs[i]) continue;
    bytes += byte_size(site.input(i));
  }
  for (std::size_t i = 0; i < site.node.outputs.size(); ++i) {
    const std::optional<Layout> want = site.wanted_layout(i);
    if (!want || written_layout(tactic, i, site) == *want) continue;
    bytes += byte_size(site.node.outputs[i]);
  }
  return bytes;
}

/// What the backend expects of the tactic and of the conversions and copies around it; nothing
/// where it expects nothing of one of them.
std::optional<double> expected_us(const Backend& backend,
                                  const OpSite& site,
                                  const Tactic& tactic) {
  if (tactic.expected_us <= 0) return std::nullopt;
  double sum = tactic.expected_us;
  bool is_known = true;
  const auto convert = [&](const TensorDesc& desc, const Layout& from, const Layout& to) {
    if (from == to) return;
    const double conversion = backend.conversion(desc, from, to).expected_us;
    is_known = is_known && conversion > 0;
    sum += conversion;
  };
  for (std::size_t i = 0; i < site.node.inputs.size(); ++i) {
    if (site.constant(i) == nullptr) convert(site.input(i), site.inputs[i], tactic.inputs[i]);
  }
  for (std::size_t i = 0; i < site.node.outputs.size(); ++i) {
    const Layout written = written_layout(tactic, i, site);
    convert(site.node.outputs[i], written, site.wanted_layout(i).value_or(written));
  }
  return is_known ? std::optional(sum) : std::nullopt;
}

/// The first of the least: by time where the backend expects one of all tactics, else by what is
/// converted and copied.
///
/// among   the tactics that count, not empty
std::size_t heuristic_choice(const Backend& backend,
                             const OpSite& site,
                             const std::vector<Tactic>& tactics,
                             const std::vector<std::size_t>& among) {
  std::vector<double> times;
  for (const std::size_t i : among) {
    const auto time = expected_us(backend, site, tactics[i]);
    if (!time) break;
    times.push_back(*time);
  }
  if (times.size() == among.size()) {
    return among[static_cast<std::size_t>(std::ranges::min_element(times) - times.begin())];
  }
  return *std::ranges::min_element(
      among, {}, [&](std::size_t i) { return converted_bytes(site, tactics[i]); });
}

std::size_t heuristic_choice(const Backend& backend,
                             const OpSite& site,
                             const std::vector<Tactic>& tactics) {
  std::vector<std::size_t> all(tactics.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return heuristic_choice(backend, site, tactics, all);
}

/// What a timing cache has the winner of: one that was measured against these tactics, in any
/// order.
std::string cache_key(const std::string& signature, const std::vector<Tactic>& tactics) {
  std::vector<std::string> names;
  names.reserve(tactics.size());
  for (const Tactic& tactic : tactics) names.push_back(tactic.name);
  std::ranges::sort(names);
  const std::string text = joined(names, "\n");
  return cat(signature, " of ", xxh3_128(std::as_bytes(std::span(text))));
}

/// What a measurement has found out about the tactic of that name, or null.
const TacticCandidate* find_candidate(const TacticDecision& decision, std::string_view name) {
  const auto found = std::ranges::find(decision.candidates, name, &TacticCandidate::tactic);
  return found == decision.candidates.end() ? nullptr : &*found;
}

/// The choice, where it is offered here; its time goes to the candidate.
std::optional<std::size_t> find_choice(const std::vector<Tactic>& tactics,
                                       const Choice& choice,
                                       TacticDecision& decision) {
  const auto candidate =
      std::ranges::find(decision.candidates, choice.tactic, &TacticCandidate::tactic);
  if (candidate != decision.candidates.end()) candidate->microseconds = choice.microseconds;
  return find_tactic(tactics, choice.tactic);
}

bool is_refused(const TacticDecision& decision, std::string_view name) {
  const TacticCandidate* candidate = find_candidate(decision, name);
  return candidate != nullptr && !candidate->refused.empty();
}

void require_node(const Graph& graph, const std::string& name, std::string_view how) {
  const NodeId id = graph.find(name);
  const bool computes =
      id >= 0 && graph.node(id).as<Constant>() == nullptr && graph.node(id).as<Input>() == nullptr;
  if (computes) return;
  throw InvalidArgument(cat("a tactic is ",
                            how,
                            " for '",
                            printable(name),
                            "', but the optimised network computes no node of that name"));
}

std::string thread_count(int threads) {
  return cat(threads, threads == 1 ? " thread" : " threads");
}

}  // namespace

TacticSelector::TacticSelector(const Backend& backend, const Graph& graph, TacticOptions options)
    : backend_(backend), options_(std::move(options)) {
  for (const auto& [node, tactic] : options_.forced)
    require_node(graph, node, "forced by FOVEA_TACTIC");
  for (const auto& [node, tactics] : options_.locked) require_node(graph, node, "locked");
  if (options_.tuning == Tuning::kOff) return;
  record_.tuning.limit_seconds = options_.tuning_seconds > 0
                                     ? options_.tuning_seconds
                                     : default_tuning_seconds(options_.tuning);
  tuner_ = std::make_unique<Tuner>(backend, options_.tuning, record_.tuning.limit_seconds);
  if (options_.timing_folder.empty()) {
    record_.notices.emplace_back(
        "measured times are not kept: no folder for caches; set FOVEA_HOME to one");
    return;
  }
  cache_ = std::make_unique<TimingCache>(options_.timing_folder, backend.fingerprint());
}

TacticSelector::~TacticSelector() = default;

namespace {

/// Whether a tensor of the site has more elements than a 32-bit index tells apart.
bool is_huge(const OpSite& site) {
  const auto huge = [](const TensorDesc& desc) {
    return num_elements(desc.shape) > std::numeric_limits<std::int32_t>::max();
  };
  for (std::size_t i = 0; i < site.node.inputs.size(); ++i) {
    if (huge(site.input(i))) return true;
  }
  return std::ranges::any_of(site.node.outputs, huge);
}

[[noreturn]] void throw_no_tactic(const Backend& backend, const OpSite& site) {
  throw Unsupported(cat(backend.name(),
                        " has no ",
                        op_name(site.node.op),
                        " for node '",
                        site.node.name,
                        "' (",
                        to_string(site.node.outputs[0]),
                        ")",
                        is_huge(site) ? ", of 2^31 elements or more; take a smaller batch" : ""));
}

}  // namespace

Tactic TacticSelector::choose(const OpSite& site) {
  threads_ = site.threads;
  std::vector<Tactic> tactics = backend_.tactics(site);
  if (tactics.empty()) throw_no_tactic(backend_, site);
  TacticDecision decision{.node = site.node.name,
                          .batch = batch_,
                          .threads = site.threads,
                          .signature = op_signature(site),
                          .heuristic = heuristic_choice(backend_, site, tactics),
                          .refusal = backend_.refusal(site)};
  for (const Tactic& tactic : tactics) decision.candidates.push_back({tactic.name, 0, {}});
  const Pick chosen = pick(site, tactics, decision);
  decision.tactic = tactics[chosen.tactic].name;
  decision.source = chosen.source;
  tell_refused(decision);

  const auto [entry, is_new] =
      decided_.try_emplace({batch_, site.node.name}, record_.decisions.size());
  if (is_new) {
    record_.decisions.push_back(std::move(decision));
  } else {
    record_.decisions[entry->second] = std::move(decision);
  }
  return std::move(tactics[chosen.tactic]);
}

TacticSelector::Pick TacticSelector::pick(const OpSite& site,
                                          const std::vector<Tactic>& tactics,
                                          TacticDecision& decision) {
  if (const auto pick = named(site, tactics)) return *pick;
  if (const auto pick = planned(tactics, decision)) return *pick;
  if (const auto pick = cached(tactics, options_.tuning, decision)) return *pick;
  if (const auto pick = measured(site, tactics, decision)) return *pick;
  if (const auto pick = cached(tactics, Tuning::kFast, decision)) return *pick;
  return {best_left(site, tactics, decision), TacticSource::kHeuristic};
}

/// The heuristic's choice of those that no measurement has refused, or else of those that could not
/// be run in it: where memory was short then, there may be more of it later.
std::size_t TacticSelector::best_left(const OpSite& site,
                                      const std::vector<Tactic>& tactics,
                                      const TacticDecision& decision) const {
  if (!is_refused(decision, tactics[decision.heuristic].name)) return decision.heuristic;
  std::vector<std::size_t> right;
  std::vector<std::size_t> unknown;
  for (std::size_t i = 0; i < tactics.size(); ++i) {
    const TacticCandidate* candidate = find_candidate(decision, tactics[i].name);
    if (candidate == nullptr || candidate->refused.empty()) right.push_back(i);
    if (candidate == nullptr || !candidate->wrong) unknown.push_back(i);
  }
  if (unknown.empty()) {
    throw DeviceError(cat("all tactics that ",
                          backend_.name(),
                          " has for node '",
                          site.node.name,
                          "' (batch ",
                          batch_,
                          ") are wrong; '",
                          tactics[decision.heuristic].name,
                          "': ",
                          find_candidate(decision, tactics[decision.heuristic].name)->refused));
  }
  return heuristic_choice(backend_, site, tactics, right.empty() ? unknown : right);
}

/// Says once for a signature what was refused, and what of that is taken for want of another.
void TacticSelector::tell_refused(const TacticDecision& decision) {
  const auto refused = [](const TacticCandidate& candidate) { return !candidate.refused.empty(); };
  if (std::ranges::none_of(decision.candidates, refused)) return;
  if (!told_refused_.insert(decision.signature).second) return;
  for (const TacticCandidate& candidate : decision.candidates) {
    if (!refused(candidate)) continue;
    const bool taken = candidate.tactic == decision.tactic;
    record_.notices.push_back(
        cat("'",
            candidate.tactic,
            taken ? "' failed when it was measured, and is used all the same," : "' is not used",
            " for node '",
            decision.node,
            "' (batch ",
            decision.batch,
            "): ",
            candidate.refused));
  }
}

/// The tactic that the list has for the node in this batch size, or null.
const std::string* TacticSelector::lock_of(const LockedTactics& locked,
                                           const std::string& node) const {
  const auto of_node = locked.find(node);
  if (of_node == locked.end()) return nullptr;
  for (const std::int64_t batch : {batch_, kEveryBatch}) {
    const auto found = of_node->second.find(batch);
    if (found != of_node->second.end()) return &found->second;
  }
  return nullptr;
}

void TacticSelector::LeftAside::add(const std::string& node, const std::string& tactic) {
  if (nodes.empty()) first = cat("'", node, "': '", printable(tactic), "'");
  nodes.insert(node);
}

/// Whether the tactic of that name is for runs on another number of threads. The same locks hold
/// for the runs of a classifier on all threads and for those on one each.
bool TacticSelector::is_for_other_threads(const OpSite& site, const std::string& name) const {
  constexpr int kTeam = 2;
  OpSite other = site;
  for (const int threads : {1, kTeam, threads_of(name)}) {
    other.threads = threads;
    if (find_tactic(backend_.tactics(other), name)) return true;
  }
  return false;
}

/// The tactic of that name, which somebody asked for; nothing where it is for other threads.
std::optional<TacticSelector::Pick> TacticSelector::offered(const OpSite& site,
                                                            const std::vector<Tactic>& tactics,
                                                            const std::string& name,
                                                            TacticSource source) {
  if (const auto found = find_tactic(tactics, name)) return Pick{*found, source};
  if (is_for_other_threads(site, name)) {
    of_other_threads_.add(site.node.name, name);
    return std::nullopt;
  }
  throw InvalidArgument(cat("node '",
                            site.node.name,
                            "' is ",
                            source == TacticSource::kForced ? "forced by FOVEA_TACTIC" : "locked",
                            " to '",
                            printable(name),
                            "', which ",
                            backend_.name(),
                            " does not offer for a batch of ",
                            batch_,
                            " on ",
                            thread_count(site.threads),
                            "; it offers ",
                            joined(tactics, ", ", &Tactic::name)));
}

/// The tactic that is forced or locked for the node.
std::optional<TacticSelector::Pick> TacticSelector::named(const OpSite& site,
                                                          const std::vector<Tactic>& tactics) {
  const std::string& node = site.node.name;
  if (const auto forced = options_.forced.find(node); forced != options_.forced.end()) {
    if (const auto pick = offered(site, tactics, forced->second, TacticSource::kForced)) {
      return pick;
    }
  }
  if (const std::string* name = lock_of(options_.locked, node)) {
    if (const auto pick = offered(site, tactics, *name, TacticSource::kLocked)) return pick;
  }
  const std::string* planned = lock_of(options_.planned_locks, node);
  if (planned == nullptr) return std::nullopt;
  if (const auto found = find_tactic(tactics, *planned)) return Pick{*found, TacticSource::kLocked};
  if (!is_for_other_threads(site, *planned)) of_plan_.add(node, *planned);
  return std::nullopt;
}

/// What a plan file has for the signature.
std::optional<TacticSelector::Pick> TacticSelector::planned(const std::vector<Tactic>& tactics,
                                                            TacticDecision& decision) {
  const auto choice = options_.choices.find(decision.signature);
  if (choice == options_.choices.end()) return std::nullopt;
  if (const auto found = find_choice(tactics, choice->second, decision)) {
    return Pick{*found, TacticSource::kPlan};
  }
  of_plan_.add(decision.node, choice->second.tactic);
  return std::nullopt;
}

/// What the timing cache has for the signature and these tactics, if it was measured as thoroughly
/// as `least`.
std::optional<TacticSelector::Pick> TacticSelector::cached(const std::vector<Tactic>& tactics,
                                                           Tuning least,
                                                           TacticDecision& decision) const {
  // What was measured in this compilation is told as that, with all candidates.
  if (cache_ == nullptr || tactics.size() < 2 || winners_.contains(decision.signature)) {
    return std::nullopt;
  }
  const Choice* choice = cache_->find(cache_key(decision.signature, tactics));
  if (choice == nullptr || (least == Tuning::kFull && !choice->full)) return std::nullopt;
  if (is_refused(decision, choice->tactic)) return std::nullopt;
  const auto found = find_choice(tactics, *choice, decision);
  return found ? std::optional(Pick{*found, TacticSource::kCache}) : std::nullopt;
}

std::optional<TacticSelector::Pick> TacticSelector::measured(const OpSite& site,
                                                             const std::vector<Tactic>& tactics,
                                                             TacticDecision& decision) {
  if (tuner_ == nullptr || tactics.size() < 2) return std::nullopt;
  const auto [entry, is_new] = candidates_.try_emplace(decision.signature, decision.candidates);
  if (is_new) {
    const auto winner = tuner_->measure(site, tactics, decision.heuristic, entry->second);
    if (winner) {
      const TacticCandidate& best = entry->second[*winner];
      winners_.emplace(decision.signature, best.tactic);
      if (cache_ != nullptr) {
        cache_->add(cache_key(decision.signature, tactics),
                    {best.tactic, best.microseconds, options_.tuning == Tuning::kFull});
      }
    }
  }
  decision.candidates = entry->second;
  const auto winner = winners_.find(decision.signature);
  if (winner == winners_.end()) return std::nullopt;
  const auto found = find_tactic(tactics, winner->second);
  if (!found) return std::nullopt;
  return Pick{*found, TacticSource::kMeasured};
}

namespace {

/// Tells of the operations that the backend's library refused; empty where it refused none.
std::string refusals_notice(const std::vector<TacticDecision>& decisions) {
  std::set<std::string> nodes;
  const TacticDecision* first = nullptr;
  for (const TacticDecision& decision : decisions) {
    if (decision.refusal.empty()) continue;
    if (first == nullptr) first = &decision;
    nodes.insert(decision.node);
  }
  if (first == nullptr) return {};
  return cat(nodes.size(),
             nodes.size() == 1 ? " operation is" : " operations are",
             " computed by other kernels than the backend's best library has (the first is '",
             first->node,
             "', by ",
             first->tactic,
             "), which may be slower: ",
             first->refusal);
}

}  // namespace

TacticRecord TacticSelector::finish() {
  std::vector<std::string>& notices = record_.notices;
  if (!of_other_threads_.nodes.empty()) {
    notices.push_back(cat(of_other_threads_.nodes.size(),
                          " forced or locked tactics are not offered on ",
                          thread_count(threads_),
                          " and left aside there (the first for ",
                          of_other_threads_.first,
                          ")"));
  }
  if (std::string notice = refusals_notice(record_.decisions); !notice.empty()) {
    notices.push_back(std::move(notice));
  }
  if (!of_plan_.nodes.empty()) {
    notices.push_back(cat(of_plan_.nodes.size(),
                          " saved tactics are not offered here (the first for ",
                          of_plan_.first,
                          "); others were chosen in their place"));
  }
  if (tuner_ != nullptr) {
    record_.tuning = tuner_->summary();
    record_.tuning.times_kept = cache_ != nullptr && cache_->save();
    notices.insert(notices.end(), tuner_->notices().begin(), tuner_->notices().end());
    for (std::string& notice : notices_of(record_.tuning)) notices.push_back(std::move(notice));
  }
  if (cache_ != nullptr) {
    notices.insert(notices.end(), cache_->notices().begin(), cache_->notices().end());
  }
  return std::move(record_);
}

}  // namespace fovea
