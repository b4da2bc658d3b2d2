#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "schemas/experiment.h"
#include "state/trials.h"

namespace millrace {

// Two variants, half of the traffic each.
inline Experiment two_arms(const std::string& id) {
  Experiment experiment;
  experiment.id = id;
  experiment.name = "An experiment";
  experiment.variants = {{"control", "popular", {}, kWholeTraffic / 2},
                         {"treatment", "recent", {}, kWholeTraffic / 2}};
  experiment.metrics = {"click_through_rate", "conversion_rate", "clicks_per_person"};
  experiment.start = 0;
  experiment.end = INT64_MAX;
  experiment.minimum_sample_size = 1'000;
  return experiment;
}

// People who are shown answers, click and purchase. Seven of ten come twice on average, the rest
// eight times; those click on 0.6 times as many of their answers: what an answer comes to depends
// on whose it is.
class ExperimentWorld {
 public:
  struct Rates {
    double click = 0.1;     // of an answer, of those who come seldom
    double purchase = 0.2;  // of a person who has clicked
  };
  explicit ExperimentWorld(std::uint64_t seed) : state_(seed) {}

  // What one person does, given the variant's rates.
  state::Trial person(const Rates& rates) {
    state::Trial trial;
    const bool often = chance(0.3);
    trial.exposures = (often ? 7 : 1) + static_cast<std::uint32_t>(next() % 3);
    for (std::uint32_t i = 0; i < trial.exposures; ++i) {
      trial.clicks += chance(often ? 0.6 * rates.click : rates.click) ? 1 : 0;
    }
    trial.conversions = trial.clicks > 0 && chance(rates.purchase) ? 1 : 0;
    return trial;
  }

  // Clicked answers by answers, over everybody there is: E[clicks] / E[answers].
  static double click_through_rate(const Rates& rates) {
    return rates.click * (0.7 * 2 + 0.3 * 8 * 0.6) / (0.7 * 2 + 0.3 * 8);
  }
  static double clicks_per_person(const Rates& rates) {
    return rates.click * (0.7 * 2 + 0.3 * 8 * 0.6);
  }
  static double clickers(const Rates& rates) {
    double share = 0;
    for (const std::uint32_t more : {0, 1, 2}) {
      share += (0.7 * any(rates.click, 1 + more) + 0.3 * any(0.6 * rates.click, 7 + more)) / 3;
    }
    return share;
  }
  static double conversion_rate(const Rates& rates) { return clickers(rates) * rates.purchase; }

  bool chance(double p) { return static_cast<double>(next() >> 11) * 0x1p-53 < p; }
  std::uint64_t next() {  // splitmix64
    std::uint64_t x = state_ += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
  }

 private:
  static double any(double p, std::uint32_t tries) {
    double none = 1;
    for (std::uint32_t i = 0; i < tries; ++i) none *= 1 - p;
    return 1 - none;
  }

  std::uint64_t state_;
};

}  // namespace millrace
