/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The numbers in <asm/unistd_32.h>, which argues with <asm/unistd_64.h>, of Linux 6.1. */
NR(0)
NR(1) NR(2) NR(3) NR(4) NR(5) NR(6) NR(7) NR(8) NR(9) NR(10) NR(11) NR(12) NR(13) NR(14) NR(15) NR(16) NR(17)
    NR(18) NR(19) NR(20) NR(21) NR(22) NR(23) NR(24) NR(25) NR(26) NR(27) NR(28) NR(29) NR(30) NR(31) NR(32)
        NR(33) NR(34) NR(35) NR(36) NR(37) NR(38) NR(39) NR(40) NR(41) NR(42) NR(43) NR(44) NR(45) NR(46)
            NR(47) NR(48) NR(49) NR(50) NR(51) NR(52) NR(53) NR(54) NR(55) NR(56) NR(57) NR(58) NR(59) NR(60)
                NR(61) NR(62) NR(63) NR(64) NR(65) NR(66) NR(67) NR(68) NR(69) NR(70) NR(71) NR(72) NR(73)
                    NR(74) NR(75) NR(76) NR(77) NR(78) NR(79) NR(80) NR(81) NR(82) NR(83) NR(84) NR(85) NR(86)
                        NR(87) NR(88) NR(89) NR(90) NR(91) NR(92) NR(93) NR(94) NR(95) NR(96) NR(97) NR(98)
                            NR(99) NR(100) NR(101) NR(102) NR(103) NR(104) NR(105) NR(106) NR(107) NR(108)
                                NR(109) NR(110) NR(111) NR(112) NR(113) NR(114) NR(115) NR(116) NR(117)
                                    NR(118) NR(119) NR(120) NR(121) NR(122) NR(123) NR(124) NR(125) NR(126)
                                        NR(127) NR(128) NR(129) NR(130) NR(131) NR(132) NR(133) NR(134)
                                            NR(135) NR(136) NR(137) NR(138) NR(139) NR(140) NR(141) NR(142)
                                                NR(143) NR(144) NR(145) NR(146) NR(147) NR(148) NR(149)
                                                    NR(150) NR(151) NR(152) NR(153) NR(154) NR(155) NR(156)
                                                        NR(157) NR(158) NR(159) NR(160) NR(161) NR(162)
                                                            NR(163) NR(164) NR(165) NR(166) NR(167) NR(168)
                                                                NR(169) NR(170) NR(171) NR(172) NR(173)
                                                                    NR(174) NR(175) NR(176) NR(177) NR(178)
                                                                        NR(179) NR(180) NR(181) NR(182)
                                                                            NR(183) NR(184) NR(185) NR(186)
                                                                                NR(187) NR(188) NR(189)
                                                                                    NR(190) NR(191) NR(192)
                                                                                        NR(193) NR(194) NR(
                                                                                            195) NR(196) NR(197) NR(198) NR(199)
                                                                                            NR(
                                                                                                200) NR(201)
                                                                                                NR(
                                                                                                    202) NR(203)
                                                                                                    NR(
                                                                                                        204) NR(205)
                                                                                                        NR(
                                                                                                            206) NR(207)
                                                                                                            NR(
                                                                                                                208) NR(209)
                                                                                                                NR(
                                                                                                                    210) NR(211)
                                                                                                                    NR(212)
                                                                                                                        NR(213) NR(214) NR(215) NR(216) NR(217) NR(218) NR(219) NR(220) NR(221) NR(224) NR(225) NR(226) NR(227) NR(228) NR(229) NR(230) NR(231) NR(232) NR(233) NR(234) NR(235) NR(236) NR(
                                                                                                                            237) NR(238)
                                                                                                                            NR(
                                                                                                                                239) NR(240)
                                                                                                                                NR(241) NR(
                                                                                                                                    242)
                                                                                                                                    NR(243) NR(
                                                                                                                                        244)
                                                                                                                                        NR(245) NR(246) NR(247) NR(248) NR(249) NR(250) NR(252) NR(253) NR(254) NR(255) NR(256) NR(257) NR(258) NR(259) NR(260) NR(261) NR(262) NR(263) NR(
                                                                                                                                            264) NR(265)
                                                                                                                                            NR(
                                                                                                                                                266) NR(267)
                                                                                                                                                NR(
                                                                                                                                                    268) NR(269)
                                                                                                                                                    NR(270)
                                                                                                                                                        NR(
                                                                                                                                                            271) NR(272) NR(273) NR(274) NR(275) NR(276) NR(277) NR(278) NR(279) NR(280) NR(281)
                                                                                                                                                            NR(282)
                                                                                                                                                                NR(283)
                                                                                                                                                                    NR(284) NR(286) NR(287) NR(288) NR(289) NR(290) NR(291) NR(292) NR(293) NR(
                                                                                                                                                                        294)
                                                                                                                                                                        NR(295)
                                                                                                                                                                            NR(
                                                                                                                                                                                296) NR(297) NR(298) NR(299) NR(300) NR(301) NR(302) NR(303) NR(304) NR(305) NR(306) NR(307) NR(308) NR(309) NR(310) NR(311)
                                                                                                                                                                                NR(312) NR(
                                                                                                                                                                                    313)
                                                                                                                                                                                    NR(314) NR(315) NR(316) NR(317) NR(318) NR(319) NR(320) NR(321) NR(322) NR(323) NR(324) NR(325) NR(326) NR(327) NR(328) NR(
                                                                                                                                                                                        329) NR(330)
                                                                                                                                                                                        NR(331)
                                                                                                                                                                                            NR(332) NR(333) NR(334) NR(335) NR(336) NR(337) NR(338) NR(339) NR(340)
                                                                                                                                                                                                NR(341) NR(
                                                                                                                                                                                                    342)
                                                                                                                                                                                                    NR(343)
                                                                                                                                                                                                        NR(344) NR(345) NR(346) NR(347) NR(
                                                                                                                                                                                                            348)
                                                                                                                                                                                                            NR(349) NR(
                                                                                                                                                                                                                350)
                                                                                                                                                                                                                NR(351)
                                                                                                                                                                                                                    NR(
                                                                                                                                                                                                                        352) NR(353) NR(354) NR(355) NR(356) NR(357)
                                                                                                                                                                                                                        NR(358) NR(
                                                                                                                                                                                                                            359)
                                                                                                                                                                                                                            NR(360)
                                                                                                                                                                                                                                NR(361)
                                                                                                                                                                                                                                    NR(362) NR(363) NR(364) NR(365)
                                                                                                                                                                                                                                        NR(366)
                                                                                                                                                                                                                                            NR(367) NR(368) NR(369) NR(370) NR(371) NR(372) NR(
                                                                                                                                                                                                                                                373)
                                                                                                                                                                                                                                                NR(374) NR(
                                                                                                                                                                                                                                                    375)
                                                                                                                                                                                                                                                    NR(
                                                                                                                                                                                                                                                        376) NR(377) NR(378) NR(379) NR(380) NR(381)
                                                                                                                                                                                                                                                        NR(382)
                                                                                                                                                                                                                                                            NR(383)
                                                                                                                                                                                                                                                                NR(384) NR(385) NR(386) NR(
                                                                                                                                                                                                                                                                    393)
                                                                                                                                                                                                                                                                    NR(
                                                                                                                                                                                                                                                                        394) NR(395) NR(396) NR(397) NR(398) NR(399) NR(400) NR(401) NR(402) NR(403) NR(404)
                                                                                                                                                                                                                                                                        NR(405)
                                                                                                                                                                                                                                                                            NR(406) NR(407) NR(408) NR(409) NR(410) NR(411) NR(412) NR(413) NR(414) NR(
                                                                                                                                                                                                                                                                                416) NR(417) NR(418) NR(419) NR(420) NR(421) NR(422) NR(423) NR(424) NR(425) NR(426)
                                                                                                                                                                                                                                                                                NR(427) NR(428) NR(429) NR(430) NR(431) NR(432)
                                                                                                                                                                                                                                                                                    NR(433)
                                                                                                                                                                                                                                                                                        NR(
                                                                                                                                                                                                                                                                                            434) NR(435) NR(436) NR(437) NR(438) NR(439) NR(440) NR(441) NR(442) NR(443)
                                                                                                                                                                                                                                                                                            NR(444) NR(
                                                                                                                                                                                                                                                                                                445)
                                                                                                                                                                                                                                                                                                NR(446) NR(447) NR(448)
                                                                                                                                                                                                                                                                                                    NR(449)
                                                                                                                                                                                                                                                                                                        NR(450)
